// Opens zip files of which nothing is taken on trust: sizes are known before anything is unpacked.
//
// A few kilobytes of zip can claim to unpack to gigabytes, so the sizes that the directory gives are checked against what
// deflate can do and added up before anything is unpacked; fflate never unpacks more than the directory says. Names are
// only looked up, never used as paths of files.
import { unzipSync } from 'fflate';
import { InputError } from '../lib/errors.ts';

const MAX_ENTRIES = 100_000;
/** Numbers hardly compress, and Keras and PyTorch store them as they are. */
const MOST_INFLATION = 16;
const FREE_BYTES = 64e6;
/** Deflate's best: 258 bytes from two bits. */
const MOST_BYTES_PER_BYTE = 1032;
const SLACK_BYTES = 1024;

/** @param what how the file is called in messages: `.keras file` */
export function openZip(file: Uint8Array, what: string): ReadonlyMap<string, Uint8Array> {
  const entries = new Map<string, Uint8Array>();
  let seen = 0;
  let total = 0;
  const names = new Set<string>();
  try {
    const unpacked = unzipSync(file, {
      filter: ({ name, size, originalSize }) => {
        seen += 1;
        if (originalSize > MOST_BYTES_PER_BYTE * size + SLACK_BYTES) {
          throw refused(what, `claims that ${size} bytes unpack to ${originalSize}`);
        }
        total += originalSize;
        if (seen > MAX_ENTRIES) throw refused(what, `holds more than ${MAX_ENTRIES} files`);
        if (total > mostUnpackedBytes(file.length))
          throw refused(what, `of ${file.length} bytes unpacks to ${total} and more`);
        if (names.has(name)) throw refused(what, `holds '${name}' twice`);
        if (name.startsWith('/') || name.includes('\\') || name.split('/').includes('..')) {
          throw refused(what, `holds a file named '${name}'`);
        }
        names.add(name);
        return true;
      },
    });
    for (const name of names) if (unpacked[name] !== undefined) entries.set(name, unpacked[name]);
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw refused(what, `is damaged: ${(error as Error).message}`);
  }
  return entries;
}

/** What a file of a network may become in memory, by its own length. */
export function mostUnpackedBytes(fileBytes: number): number {
  return FREE_BYTES + MOST_INFLATION * fileBytes;
}

export function isZip(file: Uint8Array): boolean {
  return file.length >= 4 && file[0] === 0x50 && file[1] === 0x4b && file[2] === 3 && file[3] === 4;
}

function refused(what: string, problem: string): InputError {
  return new InputError('ZIP_REFUSED', `The ${what} ${problem}`, 'Save the network again');
}
