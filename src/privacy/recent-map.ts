// What was used lately, bounded: two generations, the younger of half the capacity. What is used moves to the younger; once
// that is full it becomes the older, and what the older still held is let go. Cheaper than a strict order of use, and keeps
// between half of the capacity and all of it.
export class RecentMap<Key, Value> {
  readonly #half: number;
  #young = new Map<Key, Value>();
  #old = new Map<Key, Value>();

  constructor(capacity: number) {
    this.#half = Math.max(1, Math.floor(capacity / 2));
  }

  get size(): number {
    return this.#young.size + this.#old.size;
  }

  get(key: Key): Value | undefined {
    const young = this.#young.get(key);
    if (young !== undefined) return young;
    const old = this.#old.get(key);
    if (old !== undefined) this.set(key, old);
    return old;
  }

  set(key: Key, value: Value): void {
    this.#old.delete(key);
    this.#young.set(key, value);
    if (this.#young.size < this.#half) return;
    this.#old = this.#young;
    this.#young = new Map();
  }

  delete(key: Key): void {
    this.#young.delete(key);
    this.#old.delete(key);
  }

  /** Looks at all. */
  deleteWhere(isUnwanted: (value: Value) => boolean): void {
    for (const map of [this.#young, this.#old]) {
      for (const [key, value] of map) if (isUnwanted(value)) map.delete(key);
    }
  }
}
