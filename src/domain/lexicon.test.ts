import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { extortionTerm, matchExtortion } from './lexicon.ts';
import { HONEST_CONTEXT, LEXICON_PHRASES, LEXICON_WORDS } from './lexicon-data.ts';

const TERMS = [...LEXICON_WORDS, ...LEXICON_PHRASES];

test.each([
  ['pago del cupo', 'cupo'],
  ['CÚPO', 'cupo'],
  ['cup0 semanal', 'cupo'],
  ['c.u.p.o', 'cupo'],
  ['c u p o de hoy', 'cupo'],
  ['cuuupooo', 'cupo'],
  ['cupo23', 'cupo'],
  ['v4cun4', 'vacuna'],
  ['s3gur1dad', 'seguridad'],
  ['SEGURIDAD.', 'seguridad'],
  ['colaboracio\u0301n', 'colaboración'],
  ['aporte lunes', 'aporte'],
  ['aporte y cupo', 'cupo'],
  ['Gota a Gota!', 'gota a gota'],
  ['g o t a a g o t a', 'gotagota'],
  ['cobro de  piso', 'cobro de piso'],
  ['sabemos donde vives', 'sabemos dónde vives'],
])('%j holds %j', (concept, term) => {
  expect(extortionTerm(concept)).toBe(term);
});

test.each([
  ...['', 'almuerzo', 'ocupo', 'cupon de descuento', 'culpo', '2024', '0', 'cupula', 'vacunatorio', 'transporte'],
  ...['vacuna de mi perro', 'aporte AFP octubre', 'aporte voluntario ONP', 'cupo universidad', 'seguridad social'],
  ...['piso de la cocina', 'gota de aceite', 'pase usted', '¿cuándo?', '日本'],
])('%j is honest', (concept) => {
  expect(extortionTerm(concept)).toBeNull();
});

test('tells strong from weak', () => {
  expect(matchExtortion('cupo')).toEqual({ term: 'cupo', strength: 'strong' });
  expect(matchExtortion('apoyo')).toEqual({ term: 'apoyo', strength: 'weak' });
});

describe('disguises', () => {
  const entry = fc.constantFrom(...TERMS);
  const around = fc.constantFrom('', 'pago ', 'hoy. ', '12-10 ', '(');
  const disguises: readonly ((term: string) => string)[] = [
    (term) => term,
    (term) => term.toUpperCase(),
    (term) => term.normalize('NFD'),
    (term) => term.normalize('NFD').replace(/[\u0300-\u036f]/g, ''),
    (term) => term.replace(/o/g, '0').replace(/e/g, '3').replace(/a/g, '4'),
    (term) => term.replace(/[aeo]/g, (letter) => letter.repeat(3)),
  ];

  test('do not hide a term', () => {
    fc.assert(
      fc.property(entry, around, around, fc.constantFrom(...disguises), (known, before, after, disguise) => {
        const found = matchExtortion(`${before}${disguise(known.term)} ${after}`);
        expect(found).toEqual({ term: known.term, strength: known.strength });
      }),
    );
  });

  test('a word in an honest context is silent, a phrase is not', () => {
    fc.assert(
      fc.property(entry, fc.constantFrom(...HONEST_CONTEXT), (known, honest) => {
        const found = matchExtortion(`${known.term} ${honest}`);
        expect(found?.term ?? null).toBe(LEXICON_PHRASES.includes(known) ? known.term : null);
      }),
    );
  });

  test('a term inside a longer word is not a term', () => {
    fc.assert(
      fc.property(fc.constantFrom(...LEXICON_WORDS), ({ term }) => {
        expect(extortionTerm(`x${term}`)).toBeNull();
        expect(extortionTerm(`${term}x`)).toBeNull();
      }),
    );
  });

  test('any text has an answer', () => {
    fc.assert(fc.property(fc.string({ unit: 'binary', maxLength: 60 }), (text) => void matchExtortion(text)));
  });
});

test('every phrase has its anchor among its words', () => {
  for (const { term, anchor } of TERMS) expect(term.split(' ')).toContain(anchor);
});
