// Trees at random, for tests: any shape, cuts of few columns at few thresholds, so that they repeat.
import { createPrng } from '../../lib/prng.ts';
import { createTree, type Tree } from './ensemble.ts';

export const COLUMNS = 5;

/** A random tree that may cut the same column again and again, at −2 … 2. */
export function randomTree(seed: number, inner: number): Tree {
  const prng = createPrng(seed);
  const tree = createTree(2 * inner + 1);
  tree.nodes = 1;
  tree.cover[0] = 1000;
  const open = [0];
  for (let i = 0; i < inner; i++) {
    const node = open.splice(prng.nextBelow(open.length), 1)[0];
    tree.column[node] = prng.nextBelow(COLUMNS);
    tree.threshold[node] = prng.nextBelow(5) - 2;
    tree.missingLeft[node] = prng.nextBelow(2);
    tree.left[node] = tree.nodes++;
    tree.right[node] = tree.nodes++;
    const share = 0.05 + 0.9 * prng.nextFloat();
    tree.cover[tree.left[node]] = tree.cover[node] * share;
    tree.cover[tree.right[node]] = tree.cover[node] * (1 - share);
    open.push(tree.left[node], tree.right[node]);
  }
  for (const leaf of open) tree.value[leaf] = prng.nextNormal();
  return tree;
}
