// PostgreSQL's texts of columns as JavaScript values, the same for the embedded database and a server.
//
// Numbers of the table `pg_type` (src/include/catalog/pg_type.dat), which never change for built-in types. What is not
// listed stays a text: dates and intervals among it, since times are kept as milliseconds.
import { InputError } from '../../lib/errors.ts';

export type ReadColumn = (text: string) => unknown;

/** By number of the type; those that are missing stay texts. */
export const READ_COLUMNS: ReadonlyMap<number, ReadColumn> = readers();

export function readText(text: string): string {
  return text;
}

function readers(): Map<number, ReadColumn> {
  const types: readonly (readonly [type: number, arrayType: number, read: ReadColumn])[] = [
    [16, 1000, (text) => text === 't'],
    [17, 1001, readBytes],
    [20, 1016, readWhole],
    [21, 1005, Number],
    [23, 1007, Number],
    [25, 1009, readText],
    [26, 1028, Number],
    [114, 199, JSON.parse],
    [700, 1021, Number],
    [701, 1022, Number],
    [1042, 1014, readText],
    [1043, 1015, readText],
    [1700, 1231, readWhole],
    [3802, 3807, JSON.parse],
  ];
  const all = new Map<number, ReadColumn>();
  for (const [type, arrayType, read] of types) {
    // JSON.parse takes a second argument that callers of a reader might give by accident.
    const ofOne: ReadColumn = (text) => read(text);
    all.set(type, ofOne);
    all.set(arrayType, (text) => readArray(text, ofOne));
  }
  return all;
}

/** bigint, and numeric, which sums of bigint are. */
function readWhole(text: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && !Number.isSafeInteger(value)) {
    throw new InputError(
      'NUMBER_TOO_LARGE',
      `the number ${text} in the records is beyond 2^53 and cannot be read exactly`,
      'Ask for less in one sum, or for it as text (::text)',
    );
  }
  return value;
}

/** `\x00ff`, the only format of servers since 9.0 unless somebody sets `bytea_output`. */
function readBytes(text: string): Uint8Array {
  // A copy: a small Buffer is a window on a large one, which would go along where the bytes are sent to another thread.
  return new Uint8Array(Buffer.from(text.slice(2), 'hex'));
}

/** `{a,NULL,"b,\"c\""}`, nested for arrays of arrays; bounds (`[0:1]={…}`) are left out. */
function readArray(text: string, read: ReadColumn): unknown[] {
  let at = text.indexOf('{') + 1;
  const readItems = (): unknown[] => {
    const items: unknown[] = [];
    while (text[at] !== '}') {
      if (text[at] === ',') at++;
      if (text[at] === '{') {
        at++;
        items.push(readItems());
      } else items.push(text[at] === '"' ? read(quoted()) : bare());
    }
    at++;
    return items;
  };
  const quoted = (): string => {
    let value = '';
    for (at++; text[at] !== '"'; at++) {
      if (text[at] === '\\') at++;
      value += text[at];
    }
    at++;
    return value;
  };
  const bare = (): unknown => {
    const start = at;
    while (text[at] !== ',' && text[at] !== '}') at++;
    const value = text.slice(start, at);
    return value === 'NULL' ? null : read(value);
  };
  return readItems();
}
