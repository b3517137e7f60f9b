// Opens a file of transactions of any known format and reads it in batches. Bad rows are refused one by one and the rest
// goes on, unless too many are bad: then the mapping is wrong, and going on would only hide it.
import type { Transaction } from '../../domain/transaction.ts';
import { InputError } from '../../lib/errors.ts';
import type { FieldSource, ReadSummary, ResolvedMapping, TransactionReader } from '../../ports.ts';
import { TransactionBuilder } from './build-transactions.ts';
import { guessMapping } from './guess-mapping.ts';
import { loadMapping } from './load-mapping.ts';
import { openSource } from './open-source.ts';
import { TimeParser } from './parse-time.ts';
import type { ReadPlan } from './read-plan.ts';
import { Rejections } from './rejections.ts';
import { type Resolution, resolveMapping } from './resolve-mapping.ts';
import type { RowSource } from './row-block.ts';
import { openTimeZone } from './time-zone.ts';

export interface OpenOptions {
  /** Built-in name or path of a YAML file; without it the columns are recognised. */
  readonly mapping?: string;
  readonly nowMs: number;
  /** Reading stops when more than this share of the rows is bad, 0–1. */
  readonly maxBadShare?: number;
  /** … once so many rows have been read. */
  readonly minRowsForShare?: number;
  /** Where the refused rows are written; null: nowhere. */
  readonly rejectedPath?: string | null;
  readonly batchSize?: number;
  /** How far after `nowMs` a time may lie. */
  readonly futureSlackMs?: number;
  readonly onProgress?: (bytesRead: number, bytesTotal: number) => void;
}

const DEFAULT_MAX_BAD_SHARE = 0.05;
const DEFAULT_MIN_ROWS = 1000;
const DEFAULT_BATCH = 4096;
const DEFAULT_FUTURE_SLACK_MS = 5 * 60_000;

export async function openTransactions(path: string, options: OpenOptions): Promise<TransactionReader> {
  const given = options.mapping === undefined ? null : loadMapping(options.mapping);
  const source = await openSource(path, given, options.onProgress);
  const file = given ?? (await guessMapping(path, source));
  const resolution = await resolveMapping(path, source, file, given === null);
  return new FileReader(path, source, resolution, options, await firstOffset(source, resolution.plan));
}

class FileReader implements TransactionReader {
  readonly mapping: ResolvedMapping;
  readonly fieldsPresent: ReadonlySet<keyof Transaction>;
  readonly utcOffsetMinutes: number;
  readonly #path: string;
  readonly #source: RowSource;
  readonly #plan: ReadPlan;
  readonly #options: OpenOptions;
  #builder: TransactionBuilder | null = null;
  #rejections = new Rejections(null);

  constructor(path: string, source: RowSource, resolution: Resolution, options: OpenOptions, utcOffsetMinutes: number) {
    this.#path = path;
    this.#source = source;
    this.#plan = resolution.plan;
    this.#options = options;
    this.mapping = resolution.mapping;
    this.fieldsPresent = presentFields(resolution.mapping.fields);
    this.utcOffsetMinutes = utcOffsetMinutes;
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Transaction[]> {
    const { nowMs, batchSize = DEFAULT_BATCH, futureSlackMs = DEFAULT_FUTURE_SLACK_MS } = this.#options;
    const rejections = new Rejections(this.#options.rejectedPath ?? null);
    const builder = new TransactionBuilder(this.#plan, this.#source.encoding, { nowMs, futureSlackMs }, rejections);
    this.#rejections = rejections;
    this.#builder = builder;
    let pending: Transaction[] = [];
    try {
      for await (const block of this.#source.blocks()) {
        builder.build(block, pending);
        this.#stopIfTooBad(builder, rejections);
        let from = 0;
        for (; pending.length - from >= batchSize; from += batchSize) yield pending.slice(from, from + batchSize);
        if (from > 0) pending = pending.slice(from);
      }
      this.#checkWhole(builder, rejections);
      rejections.finish();
    } catch (error) {
      throw addPosition(error, builder);
    } finally {
      rejections.discard();
    }
    if (pending.length > 0) yield pending;
  }

  progress(): number {
    return this.#source.progress();
  }

  summary(): ReadSummary {
    const { byReason, firstExamples, count } = this.#rejections;
    return {
      rows: this.#builder?.rows ?? 0,
      accepted: this.#builder?.accepted ?? 0,
      rejected: count,
      byReason: { ...byReason },
      firstExamples: [...firstExamples],
      findings: this.#builder?.findings() ?? [],
    };
  }

  #stopIfTooBad(builder: TransactionBuilder, rejections: Rejections): void {
    const { maxBadShare = DEFAULT_MAX_BAD_SHARE, minRowsForShare = DEFAULT_MIN_ROWS } = this.#options;
    if (builder.rows < minRowsForShare || rejections.count <= builder.rows * maxBadShare) return;
    this.#failBad(builder, rejections, `more than ${percent(maxBadShare)} are allowed to be`);
  }

  #checkWhole(builder: TransactionBuilder, rejections: Rejections): void {
    if (builder.rows === 0) {
      throw new InputError(
        'NO_ROWS',
        `${this.#path} has the names of columns but no rows`,
        'Give a file with transactions',
      );
    }
    if (builder.accepted === 0) this.#failBad(builder, rejections, 'every one');
  }

  #failBad(builder: TransactionBuilder, rejections: Rejections, limit: string): never {
    // The file of refused rows is what the user needs now, so it stays.
    rejections.finish();
    const [first] = rejections.firstExamples;
    const where = this.#options.rejectedPath ? `; all are in ${this.#options.rejectedPath}` : '';
    throw new InputError(
      'TOO_MANY_BAD_ROWS',
      `${rejections.count.toLocaleString('en-US')} of the first ${builder.rows.toLocaleString('en-US')} rows of ${this.#path} are bad (${limit}): ` +
        `${rejections.describeReasons()}; the first is line ${first.line}, ${first.field || 'the whole row'}: ${first.message}${where}`,
      'Check the mapping (columns, decimal mark, time format) or correct the file',
    );
  }
}

function percent(share: number): string {
  return `${Number((share * 100).toFixed(2))} %`;
}

/** A file that breaks off is told with the row up to which it was read. */
function addPosition(error: unknown, builder: TransactionBuilder): unknown {
  if (!(error instanceof InputError) || !error.code.startsWith('GZIP_')) return error;
  const problem = error.message.slice(0, error.message.length - error.hint.length - 2);
  return new InputError(error.code, `${problem}, after row ${builder.rows.toLocaleString('en-US')}`, error.hint);
}

function presentFields(fields: ReadonlyMap<keyof Transaction, FieldSource>): ReadonlySet<keyof Transaction> {
  const present = new Set<keyof Transaction>(['id', 'eventTimeMs', 'amountMinor', 'currency']);
  for (const [field, { kind }] of fields) if (kind === 'column' || kind === 'derived') present.add(field);
  return present;
}

/** The zone's offset at the first rows' time, in minutes. */
async function firstOffset(source: RowSource, plan: ReadPlan): Promise<number> {
  const zone = openTimeZone(plan.file.timeZone);
  const time = plan.columns.find(({ field }) => field === 'eventTimeMs');
  if (time === undefined || time.timeIndex >= 0) return zone.offsetMinutesAt(Date.UTC(2026, 0, 1));
  const parser = new TimeParser(time.format ?? 'iso', zone);
  for (const row of await source.sample()) {
    const bytes = Buffer.from(row[time.index] ?? '');
    const timeMs = parser.parse(bytes, 0, bytes.length);
    if (!Number.isNaN(timeMs)) return zone.offsetMinutesAt(timeMs);
  }
  return zone.offsetMinutesAt(Date.UTC(2026, 0, 1));
}
