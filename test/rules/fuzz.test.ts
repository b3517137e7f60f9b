// Damaged rule files and hostile inputs: always a result or a list of problems with places, soon, and nothing is kept.
import { readdirSync, readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { REASON_CODES } from '../../src/decisions/reason-codes.ts';
import { createRuleVocabulary, type RuleInput } from '../../src/decisions/rule-names.ts';
import { createTransaction } from '../../src/domain/transaction.ts';
import { defaultCatalogue } from '../../src/features/catalogue/catalogue.ts';
import { createPrng, type Prng } from '../../src/lib/prng.ts';
import { type PlacedProblem, readRules } from '../../src/rules/read-rules.ts';
import { compileRuleSet } from '../../src/rules/rule-set.ts';
import { readRuleTests } from '../../src/rules/rule-tests.ts';
import { mutate } from './mutations.ts';

const isLong = process.env.CENTINELA_LONG_TESTS === '1';
const FILES = isLong ? 100_000 : 2000;
const LIMIT_MS = 100;
const MAX_FAILURES = 10;
const FOLDER = new URL('../../config/rules/', import.meta.url);
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const reasons = new Set(Object.keys(REASON_CODES));
const vocabulary = createRuleVocabulary(defaultCatalogue, ['gbdt']);
const ruleIds = new Set(
  names.flatMap((name) =>
    readRules(readFileSync(new URL(name, FOLDER), 'utf8'), name, reasons).rules.map(({ rule }) => rule.id),
  ),
);
/** Whole files now and then; else some rules of one, which is quicker and just as good. */
const pieces = new Map(
  names.map((name) => {
    const [head, ...items] = readFileSync(new URL(name, FOLDER), 'utf8').split(/^ {2}(?=- )/m);
    return [name, { head, items: items.map((item) => `  ${item}`) }] as const;
  }),
);

function damagedFile(prng: Prng): readonly [name: string, text: string] {
  const name = names[prng.nextBelow(names.length)];
  const { head, items } = pieces.get(name)!;
  const from = prng.nextBelow(items.length);
  const taken = prng.nextBelow(200) === 0 ? items : items.slice(from, from + 1 + prng.nextBelow(3));
  return [name, mutate(head + taken.join(''), prng)];
}

const NUMBERS = [
  Number.NaN,
  Number.POSITIVE_INFINITY,
  Number.NEGATIVE_INFINITY,
  -0,
  0,
  1,
  -1,
  1e308,
  5e-324,
  2 ** 53,
  3.5,
];
const TEXTS = [
  null,
  '',
  'a',
  '\u0000',
  '\uD800',
  '💥'.repeat(500),
  'x'.repeat(20_000),
  'cupo '.repeat(2000),
  "'; DROP",
  '__proto__',
];

function hostileInput(prng: Prng, rules: number): RuleInput {
  const number = () => NUMBERS[prng.nextBelow(NUMBERS.length)];
  const text = () => TEXTS[prng.nextBelow(TEXTS.length)];
  const transaction = createTransaction({
    ...{ id: text() ?? 'x', eventTimeMs: number(), amountMinor: number(), currency: text() ?? 'PEN' },
    ...{ concept: text(), payeeName: text(), payeeId: text(), mcc: text(), payerDocument: text(), ubigeo: text() },
    ...{ latitude: number(), longitude: number(), balanceAfterMinor: number() },
  });
  return {
    ...{ transaction, features: Float64Array.from(defaultCatalogue, number), offset: 0, risk: number() },
    ...{ scores: Float64Array.of(number()), findings: [text() ?? ''], fired: new Uint8Array(rules) },
  };
}

/** Reads, checks, compiles and evaluates. @returns how far it came */
function judge(name: string, text: string, seed: number): 'problems' | 'result' {
  const prng = createPrng(seed);
  const lines = text.split(/\r\n?|\n/).length;
  if (name.endsWith('.test.yaml')) {
    const { tests, problems } = readRuleTests(text, name, vocabulary, ruleIds);
    checkPlaces(problems, lines);
    return tests.length === 0 || problems.length > 0 ? 'problems' : 'result';
  }
  const { rules, problems } = readRules(text, name, reasons);
  const compiled = compileRuleSet(rules, vocabulary);
  checkPlaces([...problems, ...compiled.problems], lines);
  if (compiled.set === null) return 'problems';
  const { set } = compiled;
  for (let run = 0; run < 3; run++) {
    const input = hostileInput(prng, set.rules.length);
    const fired = set.evaluate(input, input.transaction.eventTimeMs, input.fired);
    if (fired !== input.fired.reduce((sum, fires) => sum + fires, 0)) throw new Error('fired is not counted right');
    for (const rule of set.rules.keys()) set.trace(rule, input);
  }
  return problems.length > 0 ? 'problems' : 'result';
}

function checkPlaces(problems: readonly PlacedProblem[], lines: number): void {
  for (const problem of problems) {
    if (problem.message === '' || problem.hint === '')
      throw new Error(`a problem without text: ${JSON.stringify(problem)}`);
    if (!(problem.line >= 1 && problem.line <= lines && problem.column >= 1)) {
      throw new Error(`a problem outside of the file: ${JSON.stringify(problem)}`);
    }
  }
}

/** Of this thread's own work, whatever else the machine does; the least of three, since rubbish is collected now and then. */
function leastMs(run: () => void, tries = 3): number {
  const before = process.threadCpuUsage();
  run();
  const { user, system } = process.threadCpuUsage(before);
  const ms = (user + system) / 1000;
  return ms <= LIMIT_MS || tries === 1 ? ms : Math.min(ms, leastMs(run, tries - 1));
}

function reachableBytes(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return process.memoryUsage().heapUsed;
}

describe('damaged rule files', () => {
  it(
    `end in problems with places or in a result, ${FILES} of them`,
    () => {
      const ends = { problems: 0, result: 0 };
      const prng = createPrng(20_260_101);
      const heapBytes: number[] = [];
      const failures: string[] = [];
      for (let n = 0; n < FILES; n++) {
        const [name, text] = damagedFile(prng.fork(n));
        let end: 'problems' | 'result' = 'result';
        try {
          const ms = leastMs(() => {
            end = judge(name, text, n);
          });
          if (ms > LIMIT_MS) throw new Error(`took ${ms.toFixed(0)} ms`);
        } catch (error) {
          failures.push(`file ${n} (${name}): ${String(error)}\n${text.slice(0, 4000)}`);
          if (failures.length === MAX_FAILURES) break;
        }
        ends[end]++;
        if (n % (FILES / 10) === FILES / 10 - 1) heapBytes.push(reachableBytes());
      }
      expect(failures).toEqual([]);
      // Both ends are reached, or the damage would be too light or too heavy to show anything.
      expect(ends.problems).toBeGreaterThan(FILES / 4);
      expect(ends.result).toBeGreaterThan(FILES / 50);
      // By the first tenth everything is loaded and compiled; from there on a kept file, of some kB, would show.
      expect(heapBytes.at(-1)! - heapBytes[0]).toBeLessThan(4e6);
    },
    isLong ? 7_200_000 : 240_000,
  );

  it.each([
    ['nested lists', '['.repeat(20_000)],
    ['nested maps', '{a: '.repeat(20_000)],
    ['a map of many keys', Array.from({ length: 40_000 }, (_, n) => `k${n}: 1`).join('\n')],
    [
      'a rule of many keys',
      `rules:\n  - id: x\n${Array.from({ length: 30_000 }, (_, n) => `    k${n}: 1`).join('\n')}`,
    ],
    [
      'laughs',
      Array.from({ length: 2000 }, (_, n) => `- &a${n} [${n === 0 ? 'x' : `*a${n - 1}, *a${n - 1}`}]`).join('\n'),
    ],
    ['one long line', `rules:\n  - when: ${'amount > 1 or '.repeat(35_000)}`],
    ['a long escaped text', `rules:\n  - when: "${'\\u0040'.repeat(80_000)}"`],
    ['many wrong names', ruleOf(Array.from({ length: 1500 }, (_, n) => `payer_cuont_${n} > 1`).join(' or '))],
    ['a wide condition', ruleOf(Array.from({ length: 1400 }, (_, n) => `amount = ${n}`).join(' or '))],
    [
      'a wide product',
      ruleOf(Array.from({ length: 300 }, (_, n) => `(amount > ${n} or night or hour = 3)`).join(' and ')),
    ],
    ['many conditions', ruleOf(`{ any: [${'amount > 3, '.repeat(40_000)}] }`)],
    ['many problems', `rules:\n${'  - id: X\n'.repeat(5000)}`],
    ['more than a file may hold', 'x'.repeat(3_000_000)],
  ])('%s: ends soon', { timeout: 60_000 }, (_, text) => {
    let told = 0;
    const ms = leastMs(() => {
      const { rules, problems } = readRules(text, 'x.yaml', reasons);
      told = problems.length + compileRuleSet(rules, vocabulary).problems.length;
    }, 1);
    expect(told).toBeLessThan(5000);
    // A few tenths of a second; with the parser's own look for keys that stand twice it would be minutes.
    expect(ms).toBeLessThan(5000);
  });
});

function ruleOf(when: string): string {
  return `rules:
  - id: x
    version: 1
    name: { es: x, en: x }
    owner: x
    severity: low
    reason: MONTO_REDONDO
    action: review
    when: ${when}
`;
}
