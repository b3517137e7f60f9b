// Cuts a stream of bytes into JSON values: the lines of NDJSON, or the elements of one array.

/** One value's bytes, valid until the next is asked for, and the line it begins on. */
export interface JsonPiece {
  readonly bytes: Buffer;
  readonly line: number;
  /** The piece was longer than allowed; only its beginning is given. */
  readonly tooLong: boolean;
  /** The file ends inside the value. */
  readonly cut: boolean;
}

const LF = 10;
const QUOTE = 34;
const BACKSLASH = 92;
const COMMA = 44;
const OPEN_BRACKET = 91;
const CLOSE_BRACKET = 93;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

const isSpace = (byte: number) => byte === 32 || byte === LF || byte === 13 || byte === 9;

/** Collects the bytes of one piece over several chunks. */
class Collector {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #length = 0;
  tooLong = false;
  constructor(limit: number) {
    this.#limit = limit;
  }
  add(bytes: Buffer): void {
    if (bytes.length === 0 || this.tooLong) return;
    if (this.#length + bytes.length > this.#limit) {
      this.tooLong = true;
      if (this.#parts.length === 0) this.#parts.push(Buffer.from(bytes.subarray(0, 400)));
      return;
    }
    this.#parts.push(bytes);
    this.#length += bytes.length;
  }
  take(line: number, cut = false): JsonPiece {
    const bytes = this.#parts.length === 1 ? this.#parts[0] : Buffer.concat(this.#parts);
    const piece = { bytes, line, tooLong: this.tooLong, cut };
    this.#parts = [];
    this.#length = 0;
    this.tooLong = false;
    return piece;
  }
  get empty(): boolean {
    return this.#parts.length === 0 && !this.tooLong;
  }
}

export async function* splitLines(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<JsonPiece> {
  const collector = new Collector(maxBytes);
  let line = 1;
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LF); end >= 0; end = chunk.indexOf(LF, from)) {
      collector.add(chunk.subarray(from, end));
      const piece = collector.take(line);
      if (!isBlank(piece.bytes)) yield piece;
      line += 1;
      from = end + 1;
    }
    collector.add(chunk.subarray(from));
  }
  if (!collector.empty) {
    const piece = collector.take(line);
    if (!isBlank(piece.bytes)) yield piece;
  }
}

function isBlank(bytes: Buffer): boolean {
  for (const byte of bytes) if (!isSpace(byte)) return false;
  return true;
}

/** The elements of a JSON array; what follows its closing bracket is ignored if it is blank and a piece if it is not. */
export async function* splitArray(chunks: AsyncIterable<Buffer>, maxBytes: number): AsyncGenerator<JsonPiece> {
  const collector = new Collector(maxBytes);
  let line = 1;
  let pieceLine = 1;
  let depth = 0;
  let inText = false;
  let escaped = false;
  let collecting = false;
  let closed = false;
  for await (const chunk of chunks) {
    let from = 0;
    for (let i = 0; i < chunk.length; i++) {
      const byte = chunk[i];
      if (byte === LF) line += 1;
      if (inText) {
        if (escaped) escaped = false;
        else if (byte === BACKSLASH) escaped = true;
        else if (byte === QUOTE) inText = false;
        continue;
      }
      if (depth === 0 && !collecting && !closed) {
        if (byte === OPEN_BRACKET) depth = 1;
        continue;
      }
      const ends = depth === 1 && (byte === COMMA || byte === CLOSE_BRACKET);
      if (!collecting && !ends && !isSpace(byte)) {
        collecting = true;
        pieceLine = line;
        from = i;
      }
      if (ends) {
        if (collecting) {
          collector.add(chunk.subarray(from, i));
          yield collector.take(pieceLine);
          collecting = false;
        }
        if (byte === CLOSE_BRACKET) {
          depth = 0;
          closed = true;
        }
      } else if (byte === QUOTE) inText = true;
      else if (byte === OPEN_BRACE || byte === OPEN_BRACKET) depth += 1;
      else if ((byte === CLOSE_BRACE || byte === CLOSE_BRACKET) && depth > 1) depth -= 1;
    }
    if (collecting) {
      collector.add(chunk.subarray(from));
    }
  }
  if (collecting || (!closed && depth > 0)) yield collector.take(pieceLine, true);
}
