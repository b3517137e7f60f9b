// Where the characters of a YAML scalar's value stand in the file: folding, quotes and escapes move them.
import type { Scalar } from 'yaml';

/**
 * From a character of a scalar's value to the file's: the words of the value are found again one after another. Done when a
 * problem asks for it.
 */
export function placesOf(node: Scalar, text: string): (offset: number) => number {
  const [from, to] = node.range ?? [0, text.length];
  let places: Int32Array | null = null;
  return (offset) => {
    places ??= findPlaces(String(node.value), text.slice(from, to), from);
    return places[Math.min(offset, places.length - 1)];
  };
}

/** @param written the scalar as it stands in the file, from `start` on */
function findPlaces(value: string, written: string, start: number): Int32Array {
  const places = new Int32Array(value.length + 1);
  let at = 0;
  for (let i = 0; i < value.length; i++) {
    if (!/\s/.test(value[i])) {
      const found = written.indexOf(value[i], at);
      if (found >= 0) at = found;
    }
    places[i] = start + at;
    if (!/\s/.test(value[i])) at = Math.min(written.length, at + 1);
  }
  places[value.length] = start + at;
  return places;
}
