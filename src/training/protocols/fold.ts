// One division of the rows into a past to learn from and a future to be judged on.

export interface Fold {
  /** Row indices. */
  readonly train: Uint32Array;
  /** Row indices. */
  readonly test: Uint32Array;
  /** Day of each test row, 0 for the first test day. */
  readonly testDays: Int32Array;
}
