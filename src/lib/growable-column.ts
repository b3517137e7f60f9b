// A typed-array column whose length is not known beforehand: it doubles when it is full.

type NumericArray = Float64Array | Float32Array | Uint32Array | Uint16Array | Int8Array | Uint8Array;

export class GrowableColumn<T extends NumericArray> {
  readonly #create: (length: number) => T;
  #values: T;
  #length = 0;

  constructor(create: (length: number) => T, initialLength = 4096) {
    this.#create = create;
    this.#values = create(initialLength);
  }

  get length(): number {
    return this.#length;
  }

  push(value: number): void {
    if (this.#length === this.#values.length) {
      const larger = this.#create(this.#values.length * 2);
      larger.set(this.#values as never);
      this.#values = larger;
    }
    this.#values[this.#length] = value;
    this.#length += 1;
  }

  /** The values so far, as a view on this column's memory (valid until the next push). */
  view(): T {
    return this.#values.subarray(0, this.#length) as T;
  }
}
