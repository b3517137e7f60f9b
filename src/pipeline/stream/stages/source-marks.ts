// How far each partition of the stages before has been taken: what is passed on again after a crash is known by it.
//
// A stage passes on without a transaction, and after a crash once more from where its group stands. What it passes on follows
// from what it read, one record from one record and in its order, so in every partition that it goes to the offsets of one
// source only rise; where they do not, it is a repetition.
export interface Source {
  /** Number of the stage that passed it on. */
  readonly stage: number;
  readonly partition: number;
  /** Of the record that it was made from. */
  readonly offset: number;
}

export type StoredMarks = readonly (readonly [stage: number, partition: number, next: number])[];

export class SourceMarks {
  /** By stage and partition: the offset that may come next. */
  readonly #next = new Map<string, Source>();

  constructor(stored: StoredMarks = []) {
    for (const [stage, partition, offset] of stored)
      this.#next.set(nameOf(stage, partition), { stage, partition, offset });
  }

  /** @returns false for a repetition */
  take({ stage, partition, offset }: Source): boolean {
    const name = nameOf(stage, partition);
    const next = this.#next.get(name);
    if (next !== undefined && offset < next.offset) return false;
    this.#next.set(name, { stage, partition, offset: offset + 1 });
    return true;
  }

  stored(): StoredMarks {
    const all = [...this.#next.values()].map(({ stage, partition, offset }) => [stage, partition, offset] as const);
    return all.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
  }
}

function nameOf(stage: number, partition: number): string {
  return `${stage}/${partition}`;
}
