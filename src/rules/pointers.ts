// Where something stands in a YAML or JSON document as a JSON Pointer (RFC 6901): what an editor that works on the document
// as a tree looks for.
import { isMap, isScalar, isSeq, type Node } from 'yaml';

/** @param at a node of the tree, or a character of the file: then of the innermost value there */
export function pointerTo(root: unknown, at: unknown): string {
  const offset = typeof at === 'number' ? at : startOf(at);
  let path = '';
  let node = root;
  while (node !== at) {
    const step = stepTowards(node, offset);
    if (step === null) return path;
    path += `/${step.key.replaceAll('~', '~0').replaceAll('/', '~1')}`;
    if (step.keyNode === at) return path;
    node = step.value;
  }
  return path;
}

interface Step {
  readonly key: string;
  readonly keyNode: unknown;
  readonly value: unknown;
}

/** The last part that begins at or before the character; null where there is none. */
function stepTowards(node: unknown, offset: number): Step | null {
  if (isMap(node)) {
    const place = lastUpTo(node.items.length, (index) => startOf(node.items[index].key), offset);
    if (place < 0) return null;
    const pair = node.items[place];
    return { key: isScalar(pair.key) ? String(pair.key.value) : '', keyNode: pair.key, value: pair.value };
  }
  if (!isSeq(node)) return null;
  const index = lastUpTo(node.items.length, (place) => startOf(node.items[place]), offset);
  return index < 0 ? null : { key: String(index), keyNode: null, value: node.items[index] };
}

/** The last of so many parts, in the order of the file, that begins at or before the character; −1 where there is none. */
function lastUpTo(length: number, startAt: (index: number) => number, offset: number): number {
  let [low, high] = [0, length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (startAt(middle) <= offset) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}

function startOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}
