// A map for entries that come and go with every transaction, where a `Map` or `Set` would keep them in memory for long.
//
// V8's `Map` lays its entries out anew now and then, and each old table points to the next one, for iterators. Once one
// table has become old, which it does in a quiet second, every later table is kept alive by a dead one until the next full
// collection, with all that it held when it was replaced: requests, batches, what they point to. Full collections then come
// every few seconds and take both cores with them. Here a table that was outgrown is emptied, and what was taken out leaves
// nothing behind.
//
// Open addressing with linear probing at a load of at most one half; what follows a gap is moved back.
const INITIAL_SLOTS = 64;

export class ChurningMap<Value> {
  #keys: (string | undefined)[] = new Array(INITIAL_SLOTS).fill(undefined);
  #values: (Value | undefined)[] = new Array(INITIAL_SLOTS).fill(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: string): Value | undefined {
    return this.#values[this.#find(key)];
  }

  set(key: string, value: Value): void {
    let at = this.#find(key);
    if (this.#keys[at] === undefined) {
      if (2 * (this.#size + 1) > this.#keys.length) {
        this.#grow();
        at = this.#find(key);
      }
      this.#keys[at] = key;
      this.#size++;
    }
    this.#values[at] = value;
  }

  /** @returns whether it was there */
  delete(key: string): boolean {
    let gap = this.#find(key);
    if (this.#keys[gap] === undefined) return false;
    const mask = this.#keys.length - 1;
    for (let at = (gap + 1) & mask; this.#keys[at] !== undefined; at = (at + 1) & mask) {
      // Whoever has its place at the gap or before would not be found behind it.
      const home = hashOf(this.#keys[at]!) & mask;
      if (((at - home) & mask) < ((at - gap) & mask)) continue;
      this.#keys[gap] = this.#keys[at];
      this.#values[gap] = this.#values[at];
      gap = at;
    }
    this.#keys[gap] = undefined;
    this.#values[gap] = undefined;
    this.#size--;
    return true;
  }

  /** As they are now, in no order. */
  values(): Value[] {
    return this.#values.filter((_, at) => this.#keys[at] !== undefined) as Value[];
  }

  /** The slot of the key, or the free one where it would go. */
  #find(key: string): number {
    const mask = this.#keys.length - 1;
    let at = hashOf(key) & mask;
    while (this.#keys[at] !== undefined && this.#keys[at] !== key) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const [keys, values] = [this.#keys, this.#values];
    this.#keys = new Array(2 * keys.length).fill(undefined);
    this.#values = new Array(2 * keys.length).fill(undefined);
    for (const [from, key] of keys.entries()) {
      if (key === undefined) continue;
      const to = this.#find(key);
      this.#keys[to] = key;
      this.#values[to] = values[from];
    }
    keys.fill(undefined);
    values.fill(undefined);
  }
}

/** FNV-1a over the code units, with the high bits folded in. */
function hashOf(key: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i++) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  return hash ^ (hash >>> 15);
}
