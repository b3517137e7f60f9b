// One closed part into the store: a file for each day that its records fall into, usually one.
//
// What a crashed or displaced archiver has written before is not written again: the day's files tell which offsets they
// have. A part's index goes first, so a part that is there has one.
import { InputError } from '../../lib/errors.ts';
import type { LocalObjects } from '../../ports/archive.ts';
import type { ObjectStore } from '../../ports.ts';
import type { ArchiveTools } from './archive-files.ts';
import type { Coverage } from './coverage.ts';
import {
  boundsOfDay,
  coverageOf,
  dataKey,
  dayOf,
  idsKey,
  type PartName,
  partName,
  readDay,
  type TimeBounds,
} from './day-files.ts';
import { encodePart } from './encode-part.ts';
import type { HeldPart, HeldRecord } from './held-records.ts';
import { readRow, rowOfOffset } from './parquet-sql.ts';
import type { ArchivedTable } from './table.ts';

export interface PartTools extends ArchiveTools {
  readonly store: ObjectStore;
  readonly objects: LocalObjects;
  readonly table: ArchivedTable;
}

export interface WrittenFile {
  readonly day: string;
  /** With its ending. */
  readonly fileName: string;
  readonly rows: number;
  readonly bytes: number;
  readonly hasUnread: boolean;
}

export interface WrittenPart {
  readonly files: readonly WrittenFile[];
  /** Records that files had already. */
  readonly rowsKnown: number;
}

/** Which offsets the store has of a day, asked once for each day and partition that is taken over. */
export class KnownOffsets {
  readonly #tools: PartTools;
  readonly #days = new Map<string, { readonly covered: Coverage; readonly parts: readonly PartName[] }>();

  constructor(tools: PartTools) {
    this.#tools = tools;
  }

  async of(day: string, partition: number) {
    const name = `${day}/${partition}`;
    const known = this.#days.get(name);
    if (known !== undefined) return known;
    const state = await readDay(this.#tools.store, this.#tools.table.name, day);
    const read = { covered: coverageOf(state), parts: state.parts };
    if (this.#days.size >= MOST_KNOWN) this.#days.delete(this.#days.keys().next().value!);
    this.#days.set(name, read);
    return read;
  }

  /** It was not ours for a while: others may have written of it. */
  forget(partition: number): void {
    for (const name of this.#days.keys()) if (name.endsWith(`/${partition}`)) this.#days.delete(name);
  }
}

const MOST_KNOWN = 10_000;

export async function writePart(tools: PartTools, known: KnownOffsets, part: HeldPart): Promise<WrittenPart> {
  const files: WrittenFile[] = [];
  let rowsKnown = 0;
  for (const [day, records] of byDay(part.records)) {
    const { covered, parts } = await known.of(day, part.partition);
    const fresh = freshOf(part.partition, records, covered);
    if (fresh.length < records.length) {
      rowsKnown += records.length - fresh.length;
      await checkSameLog(tools, day, part.partition, parts, records);
    }
    if (fresh.length === 0) continue;
    files.push(await writeFile(tools, day, part, fresh));
    covered.add({ partition: part.partition, from: fresh[0].offset, to: fresh[fresh.length - 1].offset });
  }
  return { files, rowsKnown };
}

async function writeFile(
  tools: PartTools,
  day: string,
  part: HeldPart,
  records: readonly HeldRecord[],
): Promise<WrittenFile> {
  const { store, table } = tools;
  const [from, to] = [records[0].offset, records[records.length - 1].offset];
  const name = partName({ partition: part.partition, from, to, ...timesOf(records) });
  const { data, ids, hasUnread } = await encodePart(tools, table, part, records);
  await store.put(idsKey(table.name, day, name), ids);
  await store.put(dataKey(table.name, day, name), data);
  const bytes = data.length + ids.length;
  return { day, fileName: `${name}.parquet`, rows: records.length, bytes, hasUnread };
}

/** Asked of each record only where some may be known. */
function freshOf(partition: number, records: readonly HeldRecord[], covered: Coverage): readonly HeldRecord[] {
  const range = { partition, from: records[0].offset, to: records[records.length - 1].offset };
  const [gap] = covered.missing(range);
  if (gap?.from === range.from && gap.to === range.to) return records;
  return records.filter(({ offset }) => !covered.has(partition, offset));
}

function byDay(records: readonly HeldRecord[]): ReadonlyMap<string, readonly HeldRecord[]> {
  const days = new Map<string, HeldRecord[]>();
  let [ofDay, fromMs, untilMs]: [HeldRecord[], number, number] = [[], 0, 0];
  for (const record of records) {
    if (!(record.recordedMs >= fromMs && record.recordedMs < untilMs)) {
      const day = dayOf(record.recordedMs);
      ({ fromMs, untilMs } = boundsOfDay(day));
      ofDay = days.get(day) ?? [];
      days.set(day, ofDay);
    }
    ofDay.push(record);
  }
  return days;
}

/** Times of a log rise nearly, but not always. */
function timesOf(records: readonly HeldRecord[]): TimeBounds {
  let [firstMs, lastMs] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
  for (const { recordedMs } of records) {
    firstMs = Math.min(firstMs, recordedMs);
    lastMs = Math.max(lastMs, recordedMs);
  }
  return { firstMs, lastMs };
}

/**
 * Offsets that are in files already are passed over; of another log, or one that was made anew, they would be other records.
 *
 * @throws InputError ARCHIVE_OF_ANOTHER_LOG
 */
async function checkSameLog(
  { sql, objects, table }: PartTools,
  day: string,
  partition: number,
  parts: readonly PartName[],
  records: readonly HeldRecord[],
): Promise<void> {
  for (const part of parts) {
    const record = records.find(
      ({ offset }) => part.partition === partition && part.from <= offset && offset <= part.to,
    );
    if (record === undefined) continue;
    const file = await objects.open(dataKey(table.name, day, part.name));
    if (file === null) continue;
    try {
      const [cells] = await sql.run(rowOfOffset(table, file.path, partition, record.offset));
      if (cells !== undefined && readRow(table, String(cells[0])).recordedMs === record.recordedMs) return;
    } finally {
      file.release();
    }
    throw new InputError(
      'ARCHIVE_OF_ANOTHER_LOG',
      `${part.name} of ${day} has another record at offset ${record.offset} than the log`,
      'The log was made anew, or is another one: give it an archive of its own',
    );
  }
}
