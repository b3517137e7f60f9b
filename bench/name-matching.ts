// How well and how fast names are found on a list: of synthetic Peruvian names some are asked for in the writings that a
// payment brings, and as many names of others, written in the same ways, that must not be found.
//
// Usage: node bench/name-matching.ts [NAMES]
import { performance } from 'node:perf_hooks';
import { createPrng } from '../src/lib/prng.ts';
import { createKeptList, type ListEntry } from '../src/lists/kept-list.ts';
import { NameVocabulary } from '../src/lists/name-vocabulary.ts';
import { fullName, nameSource, WRITINGS } from '../test/lists/synthetic-names.ts';

const SEED = Number(process.argv[3] ?? 20);
const PER_WRITING = 1000;
const THRESHOLDS = [0.7, 0.8, 0.85, 0.88, 0.9, 0.92, 0.94, 0.96];
const count = Number(process.argv[2] ?? 20_000);

const prng = createPrng(SEED);
const next = nameSource(prng.fork(1));
const people = new Map<string, ReturnType<typeof next>>();
const key = (name: ReturnType<typeof next>) => fullName(name).split(' ').sort().join(' ');
while (people.size < count) {
  const name = next();
  people.set(key(name), name);
}
const listed = [...people.values()];
const entries: ListEntry[] = listed.map((name) => ({
  ...{ value: fullName(name), reason: '', source: '', fromMs: 0, untilMs: null },
}));
const beforeMb = process.memoryUsage().heapUsed / 1e6;
const started = performance.now();
const definition = { name: 'pep', purpose: 'pep', match: 'name', threshold: 0.9 } as const;
const vocabulary = new NameVocabulary();
const list = createKeptList(definition, entries, vocabulary);
const builtMs = performance.now() - started;
const changed = performance.now();
createKeptList(definition, entries.slice(1), vocabulary);
const changedMs = performance.now() - changed;

interface Found {
  readonly similarity: number;
  readonly isRight: boolean;
}

const times: number[] = [];
function ask(query: string, right: string | null): Found {
  const from = performance.now();
  const match = list.find(query, 1);
  times.push((performance.now() - from) * 1000);
  return { similarity: match?.similarity ?? 0, isRight: match?.entry.value === right };
}

const draw = prng.fork(2);
const hits = new Map<string, Found[]>();
const misses = new Map<string, Found[]>();
for (const [writing, write] of Object.entries(WRITINGS)) {
  const known = Array.from({ length: PER_WRITING }, () => listed[draw.nextBelow(listed.length)]);
  hits.set(
    writing,
    known.map((name) => ask(write(name, draw), fullName(name))),
  );
  const others: ReturnType<typeof next>[] = [];
  while (others.length < PER_WRITING) {
    const name = next();
    if (!people.has(key(name))) others.push(name);
  }
  misses.set(
    writing,
    others.map((name) => ask(write(name, draw), null)),
  );
}

const percent = (share: number) => `${(share * 100).toFixed(2)}`.padStart(6);
const shareFrom = (found: readonly Found[], threshold: number, right = false) =>
  found.filter(({ similarity, isRight }) => similarity >= threshold && (isRight || !right)).length / found.length;
const quantile = (share: number) => times.toSorted((a, b) => a - b)[Math.floor(share * times.length)].toFixed(1);

process.stdout.write(`${count} names, index ${builtMs.toFixed(0)} ms, of one name less ${changedMs.toFixed(0)} ms, `);
process.stdout.write(`${(process.memoryUsage().heapUsed / 1e6 - beforeMb).toFixed(0)} MB; a look-up takes µs: `);
process.stdout.write(`median ${quantile(0.5)}, p95 ${quantile(0.95)}, p99 ${quantile(0.99)}\n\n`);
process.stdout.write(`right entry found / others found, %, from a likeness of\n${''.padEnd(44)}`);
process.stdout.write(`${THRESHOLDS.map((each) => each.toFixed(2).padStart(15)).join('')}\n`);
const rows = [...hits.keys()].map((writing) => [writing, hits.get(writing)!, misses.get(writing)!] as const);
rows.push(['all', [...hits.values()].flat(), [...misses.values()].flat()]);
for (const [writing, right, wrong] of rows) {
  const cells = THRESHOLDS.map(
    (each) => `  ${percent(shareFrom(right, each, true))}/${percent(shareFrom(wrong, each))}`,
  );
  process.stdout.write(`${writing.padEnd(44)}${cells.join('')}\n`);
}

/** The least likeness that few enough of the others reach. */
const [, right, wrong] = rows.at(-1)!;
const allowed = Math.floor(wrong.length * 0.001);
const limit = wrong.map(({ similarity }) => similarity).toSorted((a, b) => b - a)[allowed] + 1e-9;
process.stdout.write(
  `\nat most 0.1 % of others: likeness ${limit.toFixed(3)}, found ${percent(shareFrom(right, limit, true))} %\n`,
);
