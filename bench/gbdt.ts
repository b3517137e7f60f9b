// Trains our boosted trees and scikit-learn's HistGradientBoosting on the same rows, in turns, one thread each.
//
// 500,000 × 30 rows with few positives and a structure of thresholds, products and heavy tails. Binning counts on both
// sides. Medians over the turns, and processor time
// beside the clock's, because a shared machine's speed wanders.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createPrng } from '../src/lib/prng.ts';
import { gbdt } from '../src/models/gbdt/gbdt.ts';
import { createMatrix, type Matrix, rowOf, sliceRows } from '../src/models/matrix.ts';

export interface GbdtBenchOptions {
  readonly trainRows?: number;
  readonly testRows?: number;
  readonly columns?: number;
  readonly rounds?: number;
  readonly leaves?: number;
  /** Fits of each side. */
  readonly turns?: number;
  readonly seed?: number;
  /** A Python 3 with scikit-learn. */
  readonly python?: string;
}

interface Turn {
  readonly fitSeconds: number;
  readonly fitCpuSeconds: number;
  readonly scoreSeconds: number;
  readonly aucRoc: number;
}

interface Dataset {
  readonly matrix: Matrix;
  readonly labels: Uint8Array;
}

/** Times in seconds, rows per second, microseconds for one row; AUC on held-out rows. */
export async function benchGbdt(options: GbdtBenchOptions = {}): Promise<Record<string, number>> {
  const { trainRows = 500_000, testRows = 100_000, columns = 30, rounds = 100, leaves = 31 } = options;
  const { turns = 3, seed = 1, python = '/usr/bin/python3' } = options;
  const dataset = generate(trainRows + testRows, columns, seed);
  const folder = mkdtempSync(join(tmpdir(), 'centinela-bench-gbdt-'));
  try {
    writeFileSync(join(folder, 'values.f32'), new Uint8Array(dataset.matrix.values.buffer));
    writeFileSync(join(folder, 'labels.u8'), dataset.labels);
    const peer = await startPeer(python, [folder, trainRows, columns, rounds, leaves].map(String));
    const ours: Turn[] = [];
    const theirs: Turn[] = [];
    let singleRowMicros = 0;
    try {
      for (let turn = 0; turn < turns; turn++) {
        const measured = fitAndScore(dataset, trainRows, rounds, leaves, seed);
        ours.push(measured.turn);
        singleRowMicros = measured.singleRowMicros;
        theirs.push(await peer.fit());
      }
    } finally {
      peer.stop();
    }
    const fitSeconds = median(ours.map((turn) => turn.fitSeconds));
    const peerFitSeconds = median(theirs.map((turn) => turn.fitSeconds));
    return {
      rows: trainRows,
      columns,
      positiveShare: dataset.labels.reduce((sum, label) => sum + label, 0) / dataset.labels.length,
      fitSeconds,
      peerFitSeconds,
      fitRatio: fitSeconds / peerFitSeconds,
      fitCpuRatio: median(ours.map((turn) => turn.fitCpuSeconds)) / median(theirs.map((turn) => turn.fitCpuSeconds)),
      aucRoc: ours[0].aucRoc,
      peerAucRoc: theirs[0].aucRoc,
      scoreRowsPerSecond: testRows / median(ours.map((turn) => turn.scoreSeconds)),
      peerScoreRowsPerSecond: testRows / median(theirs.map((turn) => turn.scoreSeconds)),
      singleRowMicros,
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function generate(rows: number, columns: number, seed: number): Dataset {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, columns);
  const labels = new Uint8Array(rows);
  for (let row = 0; row < rows; row++) {
    const x = rowOf(matrix, row);
    for (let column = 0; column < columns; column++) {
      const normal = prng.nextNormal();
      // A third heavy-tailed like amounts, a third counts, a third plain.
      x[column] = column % 3 === 0 ? Math.exp(normal) : column % 3 === 1 ? Math.round(4 + 3 * normal) : normal;
    }
    const threshold = (x[0] > 4 ? 2.5 : 0) + (x[1] >= 9 && x[2] < 0 ? 2 : 0);
    const smooth = 0.8 * x[5] + 0.5 * x[8] * x[11] - 0.4 * Math.abs(x[14]) + 0.15 * x[4];
    const margin = -5.2 + threshold + smooth + Math.min(2, x[3] / (x[6] + 1));
    labels[row] = prng.nextFloat() < 1 / (1 + Math.exp(-margin)) ? 1 : 0;
  }
  return { matrix, labels };
}

function fitAndScore({ matrix, labels }: Dataset, trainRows: number, rounds: number, leaves: number, seed: number) {
  const train = sliceRows(matrix, 0, trainRows);
  const test = sliceRows(matrix, trainRows, matrix.rows);
  const features = Array.from({ length: matrix.columns }, (_, column) => `x${column}`);
  const cpu = process.cpuUsage();
  const start = performance.now();
  const fitted = gbdt.fit(
    { matrix: train, features, labels: labels.subarray(0, trainRows), validation: null },
    {
      rounds,
      maxLeaves: leaves,
      maxDepth: 64,
      learningRate: 0.1,
      minSamplesPerLeaf: 20,
      minHessianPerLeaf: 1e-3,
      l2: 0,
      maxBins: 256,
    },
    seed,
  );
  const fittedAt = performance.now();
  const spent = process.cpuUsage(cpu);
  const scores = fitted.score(test);
  const scoredAt = performance.now();
  const singles = Math.min(test.rows, 20_000);
  for (let row = 0; row < singles; row++) fitted.score(sliceRows(test, row, row + 1));
  return {
    singleRowMicros: ((performance.now() - scoredAt) * 1000) / singles,
    turn: {
      fitSeconds: (fittedAt - start) / 1000,
      fitCpuSeconds: (spent.user + spent.system) / 1e6,
      scoreSeconds: (scoredAt - fittedAt) / 1000,
      aucRoc: aucRoc(scores, labels.subarray(trainRows)),
    },
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

interface Peer {
  fit(): Promise<Turn>;
  stop(): void;
}

async function startPeer(python: string, args: readonly string[]): Promise<Peer> {
  const script = fileURLToPath(new URL('peers/gbdt_peer.py', import.meta.url));
  const { OPENBLAS_CORETYPE: _, ...environment } = process.env;
  const child = spawn(python, [script, ...args], {
    env: { ...environment, OMP_NUM_THREADS: '1' },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const nextLine = lineReader(child, python);
  await nextLine();
  return {
    fit: async () => {
      child.stdin.write('fit\n');
      return JSON.parse(await nextLine()) as Turn;
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
    child.once('exit', (code) => reject(new Error(`${python} ended with code ${code}; is python3-sklearn installed?`)));
  });
  failed.catch(() => {});
  return async () => {
    const line = await Promise.race([lines.next(), failed]);
    return line.done === true ? failed : line.value;
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(`${JSON.stringify(await benchGbdt(), null, 2)}\n`);
}
