// The newest values by their keys, within a number and a size: what is older is forgotten first.

export class RecentValues<Value> {
  readonly #values = new Map<string, Value>();
  readonly #most: number;
  readonly #mostBytes: number;
  readonly #bytesOf: (value: Value) => number;
  #bytes = 0;

  constructor(most: number, mostBytes: number, bytesOf: (value: Value) => number) {
    this.#most = most;
    this.#mostBytes = mostBytes;
    this.#bytesOf = bytesOf;
  }

  get(key: string): Value | undefined {
    return this.#values.get(key);
  }

  /** The newest from now on. */
  set(key: string, value: Value): void {
    this.#remove(key);
    this.#values.set(key, value);
    this.#bytes += this.#bytesOf(value);
    for (const oldest of this.#values.keys()) {
      if (this.#values.size <= this.#most && this.#bytes <= this.#mostBytes) return;
      this.#remove(oldest);
    }
  }

  #remove(key: string): void {
    const value = this.#values.get(key);
    if (value === undefined) return;
    this.#values.delete(key);
    this.#bytes -= this.#bytesOf(value);
  }
}
