// The words of the extortion lexicon, to be edited: see docs/domain.md.

/** `strong`: seldom honest; `weak`: common honest words that count only beside other signals. */
export type TermStrength = 'strong' | 'weak';

/** A term, its strength, and for a phrase the rarest of its words (a cheap sign that the phrase may be there). */
export interface LexiconEntry {
  readonly term: string;
  readonly strength: TermStrength;
  readonly anchor: string;
}

const word = (strength: TermStrength, terms: readonly string[]): LexiconEntry[] =>
  terms.map((term) => ({ term, strength, anchor: term }));

/** Single words. Ley 32490's bill names cupo, vacuna, colaboración, aporte and seguridad. */
export const LEXICON_WORDS: readonly LexiconEntry[] = [
  ...word('strong', ['cupo', 'cupos', 'vacuna', 'vacunas', 'extorsión', 'extorsionador', 'chalequeo', 'gotagota']),
  ...word('strong', ['amenaza', 'secuestro']),
  ...word('weak', [
    'colaboración',
    'colaboraciones',
    'aporte',
    'aportes',
    'seguridad',
    'protección',
    'resguardo',
    'apoyo',
    'rescate',
  ]),
];

export const LEXICON_PHRASES: readonly LexiconEntry[] = [
  { term: 'gota a gota', strength: 'strong', anchor: 'gota' },
  { term: 'cobro de piso', strength: 'strong', anchor: 'piso' },
  { term: 'derecho de piso', strength: 'strong', anchor: 'piso' },
  { term: 'para que no te pase nada', strength: 'strong', anchor: 'pase' },
  { term: 'sabemos dónde vives', strength: 'strong', anchor: 'sabemos' },
];

/** Words beside which a term is most likely honest: pensions, schools, pets, health, church, buildings, work gear. */
export const HONEST_CONTEXT: readonly string[] = [
  ...['afp', 'onp', 'sctr', 'essalud', 'sunat', 'cts', 'voluntario', 'voluntaria', 'sindical', 'sindicato', 'social'],
  ...[
    'colegio',
    'universidad',
    'universitario',
    'academia',
    'matricula',
    'pension',
    'curso',
    'taller',
    'apafa',
    'aula',
  ],
  ...[
    'perro',
    'perrito',
    'gato',
    'gatito',
    'mascota',
    'veterinaria',
    'veterinario',
    'antirrabica',
    'covid',
    'influenza',
  ],
  ...['bebe', 'pediatra', 'clinica', 'hospital', 'iglesia', 'parroquia', 'ofrenda', 'diezmo', 'teleton', 'camaras'],
  ...['cooperativa', 'junta', 'mantenimiento', 'condominio', 'edificio', 'vigilancia', 'epp', 'zapatos', 'botas'],
];

/** Signs that stand for a letter inside a word. */
export const LETTER_OF_DIGIT: Readonly<Record<string, string>> = {
  '0': 'o',
  '1': 'i',
  '3': 'e',
  '4': 'a',
  '5': 's',
  '7': 't',
  '@': 'a',
  $: 's',
};
