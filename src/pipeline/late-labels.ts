// Feature engines that learn labels when they become known: a claim that comes days after its payment counts from then on.
//
// A file tells each label beside its transaction, with the time when it became known. What was not yet known is kept until
// the stream has come to that time; then the engine is told, as a stream of labels would tell it. Only frauds wait: a
// transaction without a claim is taken as genuine by every feature that counts claims.
import type { Transaction } from '../domain/transaction.ts';
import type { FeatureEngine } from '../features/engine.ts';

/** What moves transactions along needs of an engine. */
export type FeatureFold = Pick<FeatureEngine, 'definitions' | 'width' | 'fold' | 'counters'>;

/** Beyond so many a further one is given up. */
export const MAX_WAITING_LABELS = 1 << 20;

export interface LateLabelFold extends FeatureFold {
  /** Labels that wait for their time. */
  readonly waiting: number;
  /** Labels given up because too many waited. */
  readonly givenUp: number;
}

/** The engine moves on with the fold; it is nobody else's meanwhile. */
export function withLateLabels(engine: FeatureEngine, maxWaiting: number = MAX_WAITING_LABELS): LateLabelFold {
  const { definitions, width } = engine;
  const queue = new LabelQueue();
  let newestMs = Number.NEGATIVE_INFINITY;
  let givenUp = 0;
  return {
    definitions,
    width,
    counters: () => engine.counters(),
    get waiting() {
      return queue.length;
    },
    get givenUp() {
      return givenUp;
    },
    fold(transaction, out, offset) {
      while (queue.length > 0 && queue.firstMs <= newestMs) engine.learnLabel(queue.take(), true);
      const result = engine.fold(transaction, out, offset);
      if (result !== 'ok' && result !== 'late') return result;
      const { isFraud, labelTimeMs, eventTimeMs } = transaction;
      newestMs = Math.max(newestMs, eventTimeMs);
      if (isFraud !== true || labelTimeMs === null || labelTimeMs <= eventTimeMs) return result;
      if (queue.length < maxWaiting) queue.add(transaction, labelTimeMs);
      else givenUp++;
      return result;
    },
  };
}

/** A binary heap by the time when the label is known. */
class LabelQueue {
  readonly #timesMs: number[] = [];
  readonly #transactions: Transaction[] = [];

  get length(): number {
    return this.#timesMs.length;
  }

  get firstMs(): number {
    return this.#timesMs[0];
  }

  add(transaction: Transaction, knownMs: number): void {
    const { length } = this;
    this.#timesMs.push(knownMs);
    this.#transactions.push(transaction);
    let place = length;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      if (this.#timesMs[parent] <= this.#timesMs[place]) return;
      this.#swap(parent, place);
      place = parent;
    }
  }

  take(): Transaction {
    const last = this.length - 1;
    this.#swap(0, last);
    this.#timesMs.pop();
    const taken = this.#transactions.pop()!;
    let place = 0;
    for (;;) {
      const left = 2 * place + 1;
      if (left >= last) return taken;
      const child = left + 1 < last && this.#timesMs[left + 1] < this.#timesMs[left] ? left + 1 : left;
      if (this.#timesMs[place] <= this.#timesMs[child]) return taken;
      this.#swap(place, child);
      place = child;
    }
  }

  #swap(a: number, b: number): void {
    [this.#timesMs[a], this.#timesMs[b]] = [this.#timesMs[b], this.#timesMs[a]];
    [this.#transactions[a], this.#transactions[b]] = [this.#transactions[b], this.#transactions[a]];
  }
}
