// Trains the two networks of the original design here and in PyTorch on the same rows, an epoch in turns, one thread each.
//
// 200,000 × 30 standardised rows whose label depends on products, thresholds and noise; batches of 256, Adam at .001, the
// same epochs. Medians of the epochs' seconds (shuffling and masks counted on both sides), AUC on rows held out, and the
// speed of the scorer that serves, at batch 256 and one row at a time.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createGraphRuntime } from '../src/adapters/onnx-runtime/graph-runtime.ts';
import { createPrng } from '../src/lib/prng.ts';
import { createMatrix, type Matrix, rowOf, sliceRows } from '../src/models/matrix.ts';
import type { Network, NetworkDescription } from '../src/models/network/description.ts';
import { createNetworkScorer } from '../src/models/network/scorer/network-scorer.ts';
import { dense, dropout, sequential } from '../src/models/network/sequential.ts';
import { trainNetwork } from '../src/models/network/train.ts';

export interface NetworkBenchOptions {
  readonly trainRows?: number;
  readonly testRows?: number;
  readonly columns?: number;
  readonly epochs?: number;
  readonly seed?: number;
  /** A Python 3 with PyTorch. */
  readonly python?: string;
}

interface Dataset {
  readonly matrix: Matrix;
  readonly labels: Uint8Array;
}

const BATCH_ROWS = 256;

const networks = (columns: number): Readonly<Record<'simple' | 'complex', NetworkDescription>> => ({
  simple: sequential(columns, [dense(64, 'relu'), dense(32, 'relu'), dense(1, 'sigmoid')]),
  complex: sequential(columns, [
    ...[dense(128, 'relu'), dropout(0.5)],
    ...[dense(64, 'relu'), dropout(0.5), dense(1, 'sigmoid')],
  ]),
});

/** For each network (`simple…`, `complex…`) seconds, ratios, AUC; at the top level the worse of both in each figure. */
export async function benchNetwork(options: NetworkBenchOptions = {}): Promise<Record<string, number>> {
  const { trainRows = 200_000, testRows = 50_000, columns = 30, epochs = 6, seed = 1 } = options;
  const { python = process.env.CENTINELA_PYTHON ?? '/usr/bin/python3' } = options;
  const dataset = generate(trainRows + testRows, columns, seed);
  const folder = mkdtempSync(join(tmpdir(), 'centinela-bench-network-'));
  try {
    writeFileSync(join(folder, 'values.f32'), new Uint8Array(dataset.matrix.values.buffer));
    writeFileSync(join(folder, 'labels.u8'), dataset.labels);
    const peer = await startPeer(python, [folder, trainRows, columns].map(String));
    const figures: Record<string, number> = {};
    try {
      for (const [name, description] of Object.entries(networks(columns))) {
        const theirs: number[] = [];
        // The peer's epochs before ours and after: a machine whose speed wanders is unjust to neither.
        const peerEpochs = async (count: number) => {
          for (let i = 0; i < count; i++) theirs.push((await peer.ask(`epoch ${name}`)).seconds);
        };
        await peerEpochs(epochs >> 1);
        const { network, seconds } = train(description, dataset, trainRows, epochs, seed);
        await peerEpochs(epochs - (epochs >> 1));
        const scored = await peer.ask(`score ${name}`);
        Object.assign(figures, {
          [`${name}EpochSeconds`]: median(seconds),
          [`${name}PeerEpochSeconds`]: median(theirs),
          [`${name}EpochRatio`]: median(seconds) / median(theirs),
          ...prefixed(name, scoreWith(network, dataset, trainRows)),
          [`${name}PeerAucRoc`]: scored.aucRoc,
          [`${name}PeerRowsPerSecondBatch256`]: testRows / scored.seconds,
        });
      }
    } finally {
      peer.stop();
    }
    return { rows: trainRows, columns, epochs, ...worseOfBoth(figures), ...figures };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every figure at the top level is that of the network that does worse in it. */
function worseOfBoth(figures: Readonly<Record<string, number>>): Record<string, number> {
  const worse = (badness: (name: string) => number) => (badness('simple') > badness('complex') ? 'simple' : 'complex');
  const slower = worse((name) => figures[`${name}EpochRatio`]);
  const lower = worse((name) => figures[`${name}PeerAucRoc`] - figures[`${name}AucRoc`]);
  return {
    epochSeconds: figures[`${slower}EpochSeconds`],
    peerEpochSeconds: figures[`${slower}PeerEpochSeconds`],
    epochRatio: figures[`${slower}EpochRatio`],
    rowsPerSecondBatch256: Math.min(figures.simpleRowsPerSecondBatch256, figures.complexRowsPerSecondBatch256),
    microsecondsBatch1: Math.max(figures.simpleMicrosecondsBatch1, figures.complexMicrosecondsBatch1),
    aucRoc: figures[`${lower}AucRoc`],
    peerAucRoc: figures[`${lower}PeerAucRoc`],
  };
}

function prefixed(name: string, figures: Readonly<Record<string, number>>): Record<string, number> {
  return Object.fromEntries(Object.entries(figures).map(([key, value]) => [`${name}${key}`, value]));
}

function generate(rows: number, columns: number, seed: number): Dataset {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, columns);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const x = rowOf(matrix, row);
    for (let column = 0; column < columns; column++) x[column] = prng.nextNormal();
    const margin = 1.5 * x[0] * x[1] + Math.abs(x[2]) + (x[3] > 1 ? 2 : 0) + x[4] - 0.5 * x[5] - 2.5;
    labels[row] = prng.nextFloat() < 1 / (1 + Math.exp(-2 * margin)) ? 1 : 0;
  }
  return { matrix, labels };
}

function train(
  description: NetworkDescription,
  { matrix, labels }: Dataset,
  trainRows: number,
  epochs: number,
  seed: number,
) {
  const inputs = sliceRows(matrix, 0, trainRows);
  const targets = Float32Array.from(labels.subarray(0, trainRows));
  const seconds: number[] = [];
  let last = performance.now();
  const onEpochEnd = () => {
    const now = performance.now();
    seconds.push((now - last) / 1000);
    last = now;
    return true;
  };
  const settings = { epochs, batchRows: BATCH_ROWS, learningRate: { initial: 1e-3 }, onEpochEnd };
  const { network } = trainNetwork(createGraphRuntime(), description, { inputs, targets }, settings, seed);
  return { network, seconds };
}

function scoreWith(network: Network, { matrix, labels }: Dataset, trainRows: number): Record<string, number> {
  const scorer = createNetworkScorer(network);
  const test = sliceRows(matrix, trainRows, matrix.rows);
  const scores = new Float32Array(test.rows);
  const batch = (from: number, rows: number) => {
    scores.set(scorer.score(sliceRows(test, from, from + rows).values, rows), from);
  };
  const passSeconds = Array.from({ length: 7 }, () => {
    const start = performance.now();
    for (let from = 0; from < test.rows; from += BATCH_ROWS) batch(from, Math.min(BATCH_ROWS, test.rows - from));
    return (performance.now() - start) / 1000;
  });
  const singles = Array.from({ length: Math.min(test.rows, 20_000) }, (_, row) => {
    const start = performance.now();
    batch(row, 1);
    return (performance.now() - start) * 1000;
  });
  return {
    RowsPerSecondBatch256: test.rows / median(passSeconds),
    MicrosecondsBatch1: median(singles),
    AucRoc: aucRoc(scores, labels.subarray(trainRows)),
  };
}

/** The chance that a positive scores above a negative, ties counted half (Mann–Whitney). */
function aucRoc(scores: Float32Array, labels: Uint8Array): number {
  const order = Uint32Array.from(scores.keys()).sort((a, b) => scores[a] - scores[b]);
  let rankSum = 0;
  let positives = 0;
  for (let from = 0; from < order.length; ) {
    let to = from;
    let hits = 0;
    while (to < order.length && scores[order[to]] === scores[order[from]]) hits += labels[order[to++]];
    rankSum += hits * ((from + 1 + to) / 2);
    positives += hits;
    from = to;
  }
  return (rankSum - (positives * (positives + 1)) / 2) / (positives * (order.length - positives));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return (sorted[(sorted.length - 1) >> 1] + sorted[sorted.length >> 1]) / 2;
}

interface Answer {
  readonly seconds: number;
  readonly aucRoc: number;
}

async function startPeer(python: string, args: readonly string[]) {
  const script = fileURLToPath(new URL('peers/network_peer.py', import.meta.url));
  const { OPENBLAS_CORETYPE: _, ...environment } = process.env;
  const child = spawn(python, [script, ...args], {
    env: { ...environment, OMP_NUM_THREADS: '1', MKL_NUM_THREADS: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const nextLine = lineReader(child, python);
  await nextLine();
  return {
    ask: async (task: string) => {
      child.stdin.write(`${task}\n`);
      return JSON.parse(await nextLine()) as Answer;
    },
    stop: () => {
      child.stdin.end('quit\n');
    },
  };
}

function lineReader(child: ChildProcess, python: string): () => Promise<string> {
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const failed = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new Error(`${python} did not start: ${error.message}`)));
    child.once('exit', (code) => reject(new Error(`${python} ended with code ${code}; is python3-torch installed?`)));
  });
  failed.catch(() => {});
  return async () => {
    const line = await Promise.race([lines.next(), failed]);
    return line.done === true ? failed : line.value;
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(await benchNetwork(), null, 2)}\n`);
}
