// The feature rows of a whole file, with what training and ranking need to know of each row.
//
// Rows stay in file order. They are kept in blocks, so that no array has to grow and blocks beyond a memory limit can be
// moved out to a `BlockStore` (a temporary file): a file of any length can be processed in bounded memory.
import { worthInSolesMinor } from '../domain/exchange-rates.ts';
import type { Transaction } from '../domain/transaction.ts';
import { GrowableColumn } from '../lib/growable-column.ts';
import type { Matrix } from '../models/matrix.ts';
import type { FeatureFold } from './late-labels.ts';

/** Where blocks go that do not fit in memory. Blocks are read back any number of times, in any order. */
export interface BlockStore {
  append(block: Float32Array): number;
  read(index: number, length: number): Float32Array;
  close(): void;
}

export interface FeatureTableOptions {
  /** Bytes of feature rows to keep in memory; further blocks go to the store. */
  readonly memoryLimitBytes: number;
  /** Opened when the memory limit is reached. */
  readonly openStore: () => BlockStore;
}

const BLOCK_ROWS = 65_536;

/** Label column: unknown. */
export const UNKNOWN_LABEL = -1;

type Block =
  | { readonly rows: number; readonly values: Float32Array }
  | { readonly rows: number; readonly stored: number };

export class FeatureTable {
  readonly columns: number;
  readonly #options: FeatureTableOptions;
  readonly #blocks: Block[] = [];
  readonly #row: Float64Array;
  readonly #timesMs = new GrowableColumn((length) => new Float64Array(length));
  readonly #worthsMinor = new GrowableColumn((length) => new Float64Array(length));
  readonly #labels = new GrowableColumn((length) => new Int8Array(length));
  readonly #payers = new GrowableColumn((length) => new Uint32Array(length));
  readonly #typologies = new GrowableColumn((length) => new Uint8Array(length));
  readonly #payerNumbers = new Map<string, number>();
  readonly #typologyNumbers = new Map<string | null, number>([[null, 0]]);
  #store: BlockStore | null = null;
  #current: Float32Array;
  #currentRows = 0;
  #blocksInMemory = 0;

  constructor(columns: number, options: FeatureTableOptions) {
    this.columns = columns;
    this.#options = options;
    this.#row = new Float64Array(columns);
    this.#current = new Float32Array(BLOCK_ROWS * columns);
  }

  get rows(): number {
    return this.#timesMs.length;
  }

  /** Event times, milliseconds UTC. */
  get timesMs(): Float64Array {
    return this.#timesMs.view();
  }

  /** What each amount is worth in céntimos of soles, without its sign; NaN in a currency without a reference rate. */
  get worthsMinor(): Float64Array {
    return this.#worthsMinor.view();
  }

  /** 1 fraud or error, 0 genuine, −1 unknown. */
  get labels(): Int8Array {
    return this.#labels.view();
  }

  /** A number per distinct payer (0 where there is none). */
  get payers(): Uint32Array {
    return this.#payers.view();
  }

  get distinctPayers(): number {
    return this.#payerNumbers.size;
  }

  /** Index into `typologyNames`. */
  get typologies(): Uint8Array {
    return this.#typologies.view();
  }

  get typologyNames(): readonly (string | null)[] {
    return [...this.#typologyNumbers.keys()];
  }

  /** Folds the transaction into the engine's state and keeps its features. */
  add(engine: Pick<FeatureFold, 'fold'>, transaction: Transaction): void {
    if (this.#currentRows === BLOCK_ROWS) this.#finishBlock();
    engine.fold(transaction, this.#row, 0);
    this.#current.set(this.#row, this.#currentRows * this.columns);
    this.#currentRows += 1;
    this.#timesMs.push(transaction.eventTimeMs);
    this.#worthsMinor.push(worthInSolesMinor(transaction.amountMinor, transaction.currency));
    this.#labels.push(transaction.isFraud === null ? UNKNOWN_LABEL : transaction.isFraud ? 1 : 0);
    this.#payers.push(this.#payerNumber(transaction.payerId));
    this.#typologies.push(this.#typologyNumber(transaction.typology));
  }

  /** Each block with the number of its first row, in order; a block read back from the store is a copy. */
  *blocks(): Generator<readonly [block: Matrix, firstRow: number]> {
    let firstRow = 0;
    for (let index = 0; index <= this.#blocks.length; index++) {
      const block = this.#block(index);
      if (block.rows > 0) yield [block, firstRow];
      firstRow += block.rows;
    }
  }

  /** The given rows, copied into one matrix in the given order. */
  take(rows: Uint32Array): Matrix {
    const { columns } = this;
    const values = new Float32Array(rows.length * columns);
    // Blocks are visited once and in order, since a stored one has to be read back.
    const ascending = rows.every((row, index) => index === 0 || rows[index - 1] <= row);
    const order = Uint32Array.from(rows.keys());
    if (!ascending) order.sort((a, b) => rows[a] - rows[b]);
    let next = 0;
    for (const [block, firstRow] of this.blocks()) {
      for (; next < rows.length && rows[order[next]] < firstRow + block.rows; next++) {
        const start = (rows[order[next]] - firstRow) * columns;
        values.set(block.values.subarray(start, start + columns), order[next] * columns);
      }
    }
    return { rows: rows.length, columns, values };
  }

  close(): void {
    this.#store?.close();
    this.#store = null;
  }

  #block(index: number): Matrix {
    const { columns } = this;
    if (index === this.#blocks.length) {
      const values = this.#current.subarray(0, this.#currentRows * columns);
      return { rows: this.#currentRows, columns, values };
    }
    const block = this.#blocks[index];
    if ('values' in block) return { rows: block.rows, columns, values: block.values };
    if (this.#store === null) throw new Error('the feature table is closed');
    return { rows: block.rows, columns, values: this.#store.read(block.stored, block.rows * columns) };
  }

  #finishBlock(): void {
    const blockBytes = this.#current.byteLength;
    if ((this.#blocksInMemory + 1) * blockBytes <= this.#options.memoryLimitBytes) {
      this.#blocks.push({ rows: this.#currentRows, values: this.#current });
      this.#blocksInMemory += 1;
      this.#current = new Float32Array(BLOCK_ROWS * this.columns);
    } else {
      this.#store ??= this.#options.openStore();
      this.#blocks.push({ rows: this.#currentRows, stored: this.#store.append(this.#current) });
    }
    this.#currentRows = 0;
  }

  #payerNumber(payerId: string | null): number {
    if (payerId === null) return 0;
    let number = this.#payerNumbers.get(payerId);
    if (number === undefined) {
      number = this.#payerNumbers.size + 1;
      this.#payerNumbers.set(payerId, number);
    }
    return number;
  }

  #typologyNumber(typology: string | null): number {
    let number = this.#typologyNumbers.get(typology);
    if (number === undefined) {
      // One byte per row: beyond 255 names (never seen) the rest share the last number.
      number = Math.min(this.#typologyNumbers.size, 255);
      this.#typologyNumbers.set(typology, number);
    }
    return number;
  }
}
