// Seeded damage to rule files: single bytes, tokens of YAML and of the rule language, and whole trees.
import type { Prng } from '../../src/lib/prng.ts';

const TOKENS = [
  ...[
    '&a ',
    '*a',
    '<<: *a',
    '!!binary ',
    '!!set ',
    '%YAML 1.1\n---\n',
    '---\n',
    '...\n',
    '? ',
    ': ',
    '- ',
    '|\n',
    '>-\n',
  ],
  ...['{', '}', '[', ']', ',', '#', "'", '"', '\t', '\u0000', '\uFEFF', '\uD800', '\u2028', '~', 'null', '__proto__'],
  ...[
    'and',
    'or',
    'not',
    'in',
    'between',
    'is',
    'missing',
    'known',
    'true',
    '??',
    '(',
    ')',
    '=',
    '!=',
    '<',
    '>=',
    '-',
    '/',
  ],
  ...['1e999', '-0', '99999999999999999999', '0x1F', '.nan', '1_000', '5min', '80%', '10km', '3parsecs', '@list', '@'],
  ...[
    'amount',
    'operation',
    'findings',
    'pair_is_new',
    'concept',
    "'transfer'",
    'lower(concept)',
    "fired('invalid-cci')",
  ],
  ...[
    'hasWord(concept)',
    "like(concept, '*a*a*a*')",
    'min(amount)',
    'distanceKm(1,2,3,4)',
    'nameSimilarity(payeeName, @x)',
  ],
  ...['when:', 'all:', 'any:', 'id: x', 'version: 0', 'mode: off', 'from: 2026-02-30', 'typologies: [F99]', 'rules:'],
];

/** One to six mutations of a text. */
export function mutate(text: string, prng: Prng): string {
  let mutated = text;
  for (let left = 1 + prng.nextBelow(6); left > 0; left--) {
    const kind = prng.nextBelow(10);
    mutated = kind < 4 ? mutateByte(mutated, prng) : kind < 8 ? mutateToken(mutated, prng) : mutateTree(mutated, prng);
  }
  return mutated;
}

function mutateByte(text: string, prng: Prng): string {
  const bytes = new TextEncoder().encode(text);
  const at = prng.nextBelow(bytes.length + 1);
  const length = prng.nextBelow(4);
  const inserted = Uint8Array.from({ length: prng.nextBelow(4) }, () => prng.nextBelow(256));
  const damaged = new Uint8Array([...bytes.subarray(0, at), ...inserted, ...bytes.subarray(at + length)]);
  return new TextDecoder().decode(damaged);
}

function mutateToken(text: string, prng: Prng): string {
  const parts = text.split(/(\s+|[^\s\w]+)/);
  const at = prng.nextBelow(parts.length);
  const token = TOKENS[prng.nextBelow(TOKENS.length)];
  switch (prng.nextBelow(4)) {
    case 0:
      parts[at] = token;
      break;
    case 1:
      parts.splice(at, 0, token);
      break;
    case 2:
      parts.splice(at, 1 + prng.nextBelow(3));
      break;
    default: {
      const other = prng.nextBelow(parts.length);
      [parts[at], parts[other]] = [parts[other], parts[at]];
    }
  }
  return parts.join('');
}

/** Makes a condition deep, wide or long; or repeats, drops or moves lines. */
function mutateTree(text: string, prng: Prng): string {
  const size = 1 + prng.nextBelow(80);
  const condition = prng.nextBelow(2) === 0 ? 'amount > 1' : "operation = 'transfer' or amount < 5 and night";
  const grown = [
    () => `${'('.repeat(size)}${condition}${')'.repeat(size)}`,
    () => `${'not '.repeat(size)}${condition}`,
    () => Array.from({ length: size }, (_, i) => `amount > ${i} or hour = ${i}`).join(' and '),
    () =>
      Array.from({ length: size }, (_, i) => `(${condition} or amount = ${i})`).join(
        prng.nextBelow(2) === 0 ? ' or ' : ' and ',
      ),
    () => `{ ${'all: [{ any: ['.repeat(size)}a${']}]'.repeat(size)} }`,
    () => `amount > ${'1 + '.repeat(size * 4)}1`,
    () => `concept = '${'á'.repeat(size * 100)}'`,
    () => `amount in (${Array.from({ length: size * 10 }, (_, i) => i).join(', ')})`,
  ];
  const lines = text.split('\n');
  const at = prng.nextBelow(lines.length);
  switch (prng.nextBelow(6)) {
    case 0:
      lines.splice(at, 1 + prng.nextBelow(3));
      break;
    case 1:
      lines.splice(at, 0, ...lines.slice(at, at + 1 + prng.nextBelow(12)));
      break;
    case 2:
      lines[at] = `${' '.repeat(prng.nextBelow(8))}${lines[at].trim()}`;
      break;
    default: {
      const rows = lines.flatMap((line, index) => (/^\s*(?:when:|-) /.test(line) ? [index] : []));
      const row = rows[prng.nextBelow(rows.length)] ?? at;
      lines[row] = lines[row].replace(
        /((?:when:|-) ).*/,
        (_, start) => `${start}${grown[prng.nextBelow(grown.length)]()}`,
      );
    }
  }
  return lines.join('\n');
}
