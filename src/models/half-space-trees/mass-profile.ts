// How many rows of a window went through each node of the half-space trees, and what that says of a row.
//
// Two windows: the reference, complete, which scores; and the latest, which fills up and then becomes the reference
// (Tan, Ting, Liu, IJCAI 2011, algorithms 2 and 3). The state is bounded whatever the length of the stream.
import type { RandomTrees } from './random-trees.ts';

export interface MassProfile {
  /** Rows of a full window, ψ. */
  readonly window: number;
  /** By tree × nodesPerTree + node. */
  reference: Uint16Array;
  latest: Uint16Array;
  /** Rows in the latest window, below ψ. */
  latestRows: number;
}

/** A node with no more than this share of the window ends the path, as in the paper. */
const SIZE_LIMIT_SHARE = 0.1;

export function createMassProfile(trees: RandomTrees, window: number): MassProfile {
  const nodes = trees.trees * trees.nodesPerTree;
  return { window, reference: new Uint16Array(nodes), latest: new Uint16Array(nodes), latestRows: 0 };
}

/** Counts a row in the latest window; when that is full it becomes the reference and an empty one begins. */
export function addRow(trees: RandomTrees, profile: MassProfile, scaled: Float64Array): void {
  const { latest } = profile;
  for (let tree = 0; tree < trees.trees; tree++) {
    const inner = tree * (trees.nodesPerTree >> 1);
    const offset = tree * trees.nodesPerTree;
    let node = 1;
    latest[offset + 1] += 1;
    for (let level = 0; level < trees.depth; level++) {
      node = childOf(trees, inner + node, node, scaled);
      latest[offset + node] += 1;
    }
  }
  profile.latestRows += 1;
  if (profile.latestRows === profile.window) turnOver(profile);
}

function turnOver(profile: MassProfile): void {
  const { reference } = profile;
  profile.reference = profile.latest;
  profile.latest = reference.fill(0);
  profile.latestRows = 0;
}

/**
 * The row's mass, Σ over the trees of rows × 2^level at the node where its path ends: great where the window's rows are
 * dense.
 */
export function massOf(trees: RandomTrees, profile: MassProfile, scaled: Float64Array): number {
  let total = 0;
  for (let tree = 0; tree < trees.trees; tree++) {
    const inner = tree * (trees.nodesPerTree >> 1);
    const offset = tree * trees.nodesPerTree;
    let node = 1;
    let level = 0;
    while (!endsAt(trees, profile, level, profile.reference[offset + node])) {
      node = childOf(trees, inner + node, node, scaled);
      level += 1;
    }
    total += profile.reference[offset + node] * 2 ** level;
  }
  return total;
}

/** Whether paths end at a node of this level with so many of the window's rows. */
export function endsAt({ depth }: RandomTrees, { window }: MassProfile, level: number, rows: number): boolean {
  return level === depth || rows <= window * SIZE_LIMIT_SHARE;
}

/** @param at the node's place among the inner ones of all trees */
export function childOf(trees: RandomTrees, at: number, node: number, scaled: Float64Array): number {
  return 2 * node + Number(scaled[trees.splitColumns[at]] >= trees.thresholds[at]);
}
