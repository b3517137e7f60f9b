// Our isolation forest beside scikit-learn's on the same matrix: seconds to fit and to score, taken in turns on one
// thread, and the greatest difference between our scores on scikit-learn's own trees and its `-score_samples`.
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { createPrng } from '../src/lib/prng.ts';
import { writeForest } from '../src/models/isolation-forest/artefact.ts';
import type { ForestNodes } from '../src/models/isolation-forest/forest.ts';
import { isolationForest } from '../src/models/isolation-forest/isolation-forest.ts';
import { createMatrix, type Matrix } from '../src/models/matrix.ts';

export interface IsolationForestBenchOptions {
  readonly rows?: number;
  readonly columns?: number;
  readonly trees?: number;
  readonly subsample?: number;
  /** How often each side is measured, in turns; the figures are medians. */
  readonly turns?: number;
  readonly seed?: number;
  /** A Python with scikit-learn. */
  readonly python?: string;
}

/** The size of the best-known public card data set, 284,807 rows × 30 columns. */
const ROWS = 284_807;
const COLUMNS = 30;
/** One row in so many is drawn wider, as outliers. */
const OUTLIER_EVERY = 500;

export async function benchIsolationForest(options: IsolationForestBenchOptions = {}): Promise<Record<string, number>> {
  const { rows = ROWS, columns = COLUMNS, trees = 100, subsample = 256 } = options;
  const { turns = 3, seed = 1, python = '/usr/bin/python3' } = options;
  const matrix = syntheticMatrix(rows, columns, seed);
  const features = Array.from({ length: columns }, (_, column) => `v${column}`);
  const folder = mkdtempSync(join(tmpdir(), 'centinela-isolation-forest-'));
  try {
    writeFileSync(join(folder, 'matrix.f32'), new Uint8Array(matrix.values.buffer));
    const peer = startPeer(python, [folder, columns, trees, subsample].map(String));
    try {
      const ours: Seconds[] = [];
      const theirs: Seconds[] = [];
      for (let turn = 0; turn < turns; turn++) {
        ours.push(measure(matrix, features, { trees, subsample }, seed + turn));
        theirs.push((await peer.ask(`fit-score ${seed + turn}`)) as Seconds);
      }
      await peer.ask('export');
      return {
        rows,
        columns,
        trees,
        ...figures(ours, theirs),
        maxScoreDifference: scoreDifference(folder, matrix, features, subsample),
      };
    } finally {
      peer.stop();
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

interface Seconds {
  readonly fitSeconds: number;
  readonly scoreSeconds: number;
}

/** Correlated normal columns on different scales, with a few wide rows. */
function syntheticMatrix(rows: number, columns: number, seed: number): Matrix {
  const prng = createPrng(seed);
  const matrix = createMatrix(rows, columns);
  for (let row = 0; row < rows; row++) {
    const spread = prng.nextBelow(OUTLIER_EVERY) === 0 ? 4 : 1;
    const common = prng.nextNormal();
    for (let column = 0; column < columns; column++) {
      const value = spread * (prng.nextNormal() + (column % 3 === 0 ? common : 0));
      matrix.values[row * columns + column] = value * (1 + column);
    }
  }
  return matrix;
}

function measure(
  matrix: Matrix,
  features: readonly string[],
  options: { trees: number; subsample: number },
  seed: number,
): Seconds {
  const start = performance.now();
  const forest = isolationForest.fit({ matrix, features, labels: null, validation: null }, options, seed);
  const fitted = performance.now();
  forest.score(matrix);
  return { fitSeconds: (fitted - start) / 1000, scoreSeconds: (performance.now() - fitted) / 1000 };
}

function figures(ours: readonly Seconds[], theirs: readonly Seconds[]): Record<string, number> {
  const fitSeconds = median(ours.map((turn) => turn.fitSeconds));
  const scoreSeconds = median(ours.map((turn) => turn.scoreSeconds));
  const peerFitSeconds = median(theirs.map((turn) => turn.fitSeconds));
  const peerScoreSeconds = median(theirs.map((turn) => turn.scoreSeconds));
  return {
    fitSeconds,
    scoreSeconds,
    peerFitSeconds,
    peerScoreSeconds,
    fitRatio: fitSeconds / peerFitSeconds,
    scoreRatio: scoreSeconds / peerScoreSeconds,
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1];
}

/** Reads the peer's trees as an artefact of ours and compares the scores. */
function scoreDifference(folder: string, matrix: Matrix, features: readonly string[], subsample: number): number {
  const peerTrees = readPeerTrees(folder);
  const sampleSize = Math.min(subsample, matrix.rows);
  const artefact = writeForest(convertTrees(peerTrees, matrix.columns, sampleSize), features, {});
  const scores = isolationForest.load(artefact).score(matrix);
  const expected = new Float64Array(readBytes(folder, 'scores.f64'));
  return scores.reduce((greatest, score, row) => Math.max(greatest, Math.abs(score - expected[row])), 0);
}

interface PeerTrees {
  /** Nodes of each tree; the other arrays hold the trees one behind another. */
  readonly nodes: Int32Array;
  /** Counted from the tree's root; −1 at a leaf. */
  readonly left: Int32Array;
  readonly right: Int32Array;
  readonly column: Int32Array;
  readonly samples: Int32Array;
  readonly threshold: Float64Array;
}

function readPeerTrees(folder: string): PeerTrees {
  const integers = (name: string) => new Int32Array(readBytes(folder, `${name}.i32`));
  return {
    nodes: integers('nodes'),
    left: integers('left'),
    right: integers('right'),
    column: integers('column'),
    samples: integers('samples'),
    threshold: new Float64Array(readBytes(folder, 'threshold.f64')),
  };
}

function readBytes(folder: string, name: string): ArrayBuffer {
  const bytes = readFileSync(join(folder, name));
  return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
}

/** From scikit-learn's depth-first nodes to ours, breadth first with siblings adjacent. */
function convertTrees(peer: PeerTrees, columns: number, sampleSize: number): ForestNodes {
  const total = peer.left.length;
  const forest: ForestNodes = {
    columns,
    sampleSize,
    terms: 1,
    medians: new Float32Array(columns),
    treeStarts: new Uint32Array(peer.nodes.length + 1),
    leftChildren: new Uint32Array(total),
    thresholds: new Float32Array(total).fill(Number.POSITIVE_INFINITY),
    samples: new Uint32Array(total),
    splitColumns: new Uint16Array(total),
    splitWeights: new Float32Array(0),
  };
  peer.nodes.forEach((count, tree) => {
    const start = forest.treeStarts[tree];
    forest.treeStarts[tree + 1] = start + count;
    const queue = [0];
    for (let node = 0; node < queue.length; node++) {
      const from = start + queue[node];
      forest.samples[start + node] = peer.samples[from];
      forest.leftChildren[start + node] = node;
      if (peer.left[from] < 0) continue;
      forest.leftChildren[start + node] = queue.length;
      forest.splitColumns[start + node] = peer.column[from];
      forest.thresholds[start + node] = floatAtOrBelow(peer.threshold[from]);
      queue.push(peer.left[from], peer.right[from]);
    }
  });
  return forest;
}

/** The greatest float32 that is not above a threshold: it parts float32 values exactly as the threshold does. */
function floatAtOrBelow(threshold: number): number {
  const bits = new Int32Array(1);
  const float = new Float32Array(bits.buffer);
  float[0] = threshold;
  if (float[0] <= threshold) return float[0];
  if (float[0] === 0) bits[0] = -0x7fffffff;
  else bits[0] += float[0] > 0 ? -1 : 1;
  return float[0];
}

interface Peer {
  ask(command: string): Promise<unknown>;
  stop(): void;
}

function startPeer(python: string, args: readonly string[]): Peer {
  const script = join(dirname(fileURLToPath(import.meta.url)), 'peers', 'isolation_forest_peer.py');
  const environment: NodeJS.ProcessEnv = { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };
  delete environment.OPENBLAS_CORETYPE;
  const child = spawn(python, [script, ...args], { env: environment, stdio: ['pipe', 'pipe', 'inherit'] });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const failure = failureOf(child, python);
  return {
    async ask(command) {
      child.stdin.write(`${command}\n`);
      const answer = await Promise.race([answers.next(), failure]);
      if (answer.done === true) return failure;
      return JSON.parse(answer.value);
    },
    stop: () => void child.stdin.end(),
  };
}

/** Never resolves; rejects when the peer can't start or has ended early. */
function failureOf(child: ChildProcess, python: string): Promise<never> {
  const failure = new Promise<never>((_, reject) => {
    child.once('error', (error) => reject(new Error(`${python} did not start: ${error.message}`)));
    child.once('exit', (code) => reject(new Error(`${python} ended with code ${code}; is python3-sklearn installed?`)));
  });
  failure.catch(() => undefined);
  return failure;
}
