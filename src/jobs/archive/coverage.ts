// Which offsets of which partitions have been taken already: how an archive knows every record once, whatever is written
// twice. Ranges include both ends.

export interface OffsetRange {
  readonly from: number;
  readonly to: number;
}

export interface PartitionRange extends OffsetRange {
  readonly partition: number;
}

export class Coverage {
  /** By partition, disjoint and rising. */
  readonly #ranges = new Map<number, OffsetRange[]>();

  constructor(ranges: Iterable<PartitionRange> = []) {
    for (const range of ranges) this.add(range);
  }

  /** What of the range is not covered, rising; empty where all of it is. */
  missing({ partition, from, to }: PartitionRange): OffsetRange[] {
    const gaps: OffsetRange[] = [];
    let next = from;
    for (const covered of this.#ranges.get(partition) ?? []) {
      if (covered.to < next) continue;
      if (covered.from > to) break;
      if (covered.from > next) gaps.push({ from: next, to: covered.from - 1 });
      next = covered.to + 1;
    }
    if (next <= to) gaps.push({ from: next, to });
    return gaps;
  }

  has(partition: number, offset: number): boolean {
    return this.missing({ partition, from: offset, to: offset }).length === 0;
  }

  /** Neighbours without an offset between them become one range. */
  add({ partition, from, to }: PartitionRange): void {
    const kept: OffsetRange[] = [];
    let joined: OffsetRange = { from, to };
    for (const range of this.#ranges.get(partition) ?? []) {
      if (range.to < joined.from - 1 || range.from > joined.to + 1) kept.push(range);
      else joined = { from: Math.min(range.from, joined.from), to: Math.max(range.to, joined.to) };
    }
    this.#ranges.set(
      partition,
      [...kept, joined].sort((a, b) => a.from - b.from),
    );
  }

  ranges(): PartitionRange[] {
    const partitions = [...this.#ranges].sort(([a], [b]) => a - b);
    return partitions.flatMap(([partition, ranges]) => ranges.map((range) => ({ partition, ...range })));
  }
}
