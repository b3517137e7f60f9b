// Wrapped keys in memory, for tests of what uses them; the real table is tested on both databases.
import type { DataKeyTable, ErasedDataKey, StoredDataKey, SubjectErasure } from '../../src/privacy/data-keys.ts';

export class MemoryKeyTable implements DataKeyTable {
  readonly rows = new Map<string, StoredDataKey | ErasedDataKey>();
  readonly erasures: SubjectErasure[] = [];
  inserts = 0;
  reads = 0;
  /** Waited for in every call, so that calls overlap. */
  pause: () => Promise<void> = () => Promise.resolve();

  async newest(subjects: readonly string[], createdFromMs: number): Promise<readonly StoredDataKey[]> {
    this.reads++;
    const kept = this.#kept().filter(
      ({ createdMs, subject }) => createdMs >= createdFromMs && subjects.includes(subject),
    );
    await this.pause();
    const newest = new Map<string, StoredDataKey>();
    for (const key of kept)
      if ((newest.get(key.subject)?.createdMs ?? -1) <= key.createdMs) newest.set(key.subject, key);
    return [...newest.values()];
  }

  async find(ids: readonly string[]): Promise<readonly (StoredDataKey | ErasedDataKey)[]> {
    this.reads++;
    const found = ids.flatMap((id) => this.rows.get(id) ?? []);
    await this.pause();
    return found;
  }

  async add(keys: readonly StoredDataKey[]): Promise<void> {
    await this.pause();
    this.inserts++;
    for (const key of keys) {
      if (this.rows.has(key.id)) throw new Error('an id twice');
      this.rows.set(key.id, key);
    }
  }

  async erasedSince(fromMs: number): Promise<readonly SubjectErasure[]> {
    return this.erasures.filter(({ erasedMs }) => erasedMs >= fromMs);
  }

  erase(subject: string, erasedMs: number): void {
    for (const { id } of this.#kept().filter((key) => key.subject === subject)) {
      this.rows.set(id, { id, subject, wrapped: null });
    }
    this.erasures.push({ subject, erasedMs });
  }

  #kept(): StoredDataKey[] {
    return [...this.rows.values()].filter((key) => key.wrapped !== null);
  }
}
