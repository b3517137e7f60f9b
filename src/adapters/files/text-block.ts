// Builds blocks from values that are not bytes of the file (JSON, Parquet): each is written as text into the block's
// buffer, so that the same decoders judge it as they judge a CSV's.
import { RowBlock, type RowFault } from './row-block.ts';

const BUFFER_BYTES = 4 << 20;
/** UTF-8 takes at most three bytes for each UTF-16 unit. */
const BYTES_PER_UNIT = 3;

/** Texts up to this length are written without a call into the engine. */
const SHORT_TEXT = 40;

/** @returns the end, or −1 where the text is not ASCII */
function writeAscii(bytes: Uint8Array, start: number, text: string): number {
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return -1;
    bytes[start + i] = unit;
  }
  return start + text.length;
}

export class TextBlock {
  readonly block: RowBlock;
  #used = 0;
  #cell = 0;

  constructor(columns: number) {
    this.block = new RowBlock(Buffer.allocUnsafeSlow(BUFFER_BYTES), columns);
  }

  clear(): void {
    this.block.clear();
    this.#used = 0;
  }

  /** True if another row of so many characters can be added. */
  hasRoom(characters: number): boolean {
    return !this.block.full && this.#used + characters * BYTES_PER_UNIT <= BUFFER_BYTES;
  }

  beginRow(): void {
    const { block } = this;
    this.#cell = block.rows * block.columns;
    block.starts.fill(0, this.#cell, this.#cell + block.columns);
    block.ends.fill(0, this.#cell, this.#cell + block.columns);
  }

  set(column: number, text: string): void {
    const { block } = this;
    const start = this.#used;
    let end = text.length <= SHORT_TEXT ? writeAscii(block.bytes, start, text) : -1;
    if (end < 0) end = start + block.bytes.write(text, start, 'utf8');
    block.starts[this.#cell + column] = start;
    block.ends[this.#cell + column] = end;
    this.#used = end;
  }

  endRow(line: number): void {
    this.block.endRow(line, 0, 0);
  }

  /** A row that could not be read; `raw` shows its beginning. */
  addFault(line: number, fault: RowFault, raw: Uint8Array): void {
    this.beginRow();
    const shown = raw.subarray(0, Math.min(400, BUFFER_BYTES - this.#used));
    this.block.bytes.set(shown, this.#used);
    this.block.endRow(line, this.#used, this.#used + shown.length, fault);
    this.#used += shown.length;
  }
}
