// The binary part of an artefact: a JSON text and byte sections, with a checksum, so that a truncated or changed file is
// refused before anything is scored with it.
//
// Little-endian: magic "CENT", FNV-1a of all bytes that follow it, length of the JSON text ({ contents, lengths }), that
// text filled up with spaces to a multiple of 8, and the sections, each filled up with zeros to a multiple of 8.
import type { Artefact } from './detector.ts';

export interface PackedContents {
  /** Whatever JSON can hold. */
  readonly contents: unknown;
  readonly sections: readonly Uint8Array[];
}

const MAGIC = 0x544e4543;
const HEADER_BYTES = 12;
/** The header and the text end at a multiple of this, so that the sections can be read as numbers in place. */
const ALIGNMENT = 8;

export function packArtefact(readable: Omit<Artefact, 'binary'>, { contents, sections }: PackedContents): Artefact {
  const text = new TextEncoder().encode(JSON.stringify({ contents, lengths: sections.map(({ length }) => length) }));
  const textEnd = aligned(HEADER_BYTES + text.length);
  const binary = new Uint8Array(sections.reduce((sum, { length }) => sum + aligned(length), textEnd));
  binary.fill(0x20, HEADER_BYTES, textEnd);
  binary.set(text, HEADER_BYTES);
  let at = textEnd;
  for (const section of sections) {
    binary.set(section, at);
    at += aligned(section.length);
  }
  const header = new DataView(binary.buffer);
  header.setUint32(0, MAGIC, true);
  header.setUint32(8, text.length, true);
  header.setUint32(4, checksum(binary), true);
  return { ...readable, binary };
}

/** @throws if the artefact is of another format, a newer version, truncated or damaged; the message says which. */
export function unpackArtefact(artefact: Artefact, format: string, newestVersion: number): PackedContents {
  const { formatVersion, binary } = artefact;
  if (artefact.format !== format) {
    throw new Error(`the artefact's format is "${artefact.format}", expected "${format}"`);
  }
  if (!Number.isInteger(formatVersion) || formatVersion < 1 || formatVersion > newestVersion) {
    throw new Error(
      `${format} artefact has format version ${formatVersion}, this program reads up to ${newestVersion}: ` +
        'load it with the program that wrote it, or train again',
    );
  }
  if (binary.length < HEADER_BYTES) throw damaged(format, 'it is truncated within its header');
  const header = new DataView(binary.buffer, binary.byteOffset, binary.byteLength);
  if (header.getUint32(0, true) !== MAGIC) throw damaged(format, 'it does not start with "CENT"');
  if (header.getUint32(4, true) !== checksum(binary)) {
    throw damaged(format, 'it is truncated, or its checksum does not match');
  }
  const textBytes = header.getUint32(8, true);
  if (HEADER_BYTES + textBytes > binary.length) throw damaged(format, 'its text is longer than the file');
  const { contents, lengths } = JSON.parse(
    new TextDecoder().decode(binary.subarray(HEADER_BYTES, HEADER_BYTES + textBytes)),
  ) as { contents: unknown; lengths: number[] };
  let at = aligned(HEADER_BYTES + textBytes);
  const sections = lengths.map((length) => {
    const section = binary.slice(at, at + length);
    at += aligned(length);
    return section;
  });
  if (at !== binary.length) throw damaged(format, `its sections end at byte ${at} of ${binary.length}`);
  return { contents, sections };
}

/** @throws unless the artefact names one feature for each of the columns that its numbers are for */
export function checkFeatureNames({ format, features }: Artefact, columns: number): void {
  if (!Array.isArray(features) || features.some((name) => typeof name !== 'string')) {
    throw damaged(format, 'it does not name its features');
  }
  if (features.length !== columns) throw damaged(format, `it names ${features.length} features for ${columns} columns`);
}

/** The bytes of numbers, without a copy. */
export function bytesOf(numbers: Float64Array | Float32Array): Uint8Array {
  return new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
}

function aligned(bytes: number): number {
  return Math.ceil(bytes / ALIGNMENT) * ALIGNMENT;
}

function damaged(format: string, what: string): Error {
  return new Error(`${format} artefact is damaged: ${what}; fetch it again or train again`);
}

/** FNV-1a, 32 bits, of everything after itself: finds damage, not tampering (the registry keeps SHA-256). */
function checksum(binary: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (let i = 8; i < binary.length; i++) hash = Math.imul(hash ^ binary[i], 0x01000193);
  return hash >>> 0;
}
