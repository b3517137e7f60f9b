// The last stage: the fold of a whole partition, whose features have come with the transactions.
//
// It is the same fold that decides a stream without stages; only the engine behind it takes each row as far as it has come
// and adds what is missing.
import type { ControlRecord } from '../../../domain/stream-records.ts';
import type { Transaction } from '../../../domain/transaction.ts';
import type { FeatureEngine } from '../../../features/engine.ts';
import type { FingerprintSet } from '../../../lib/fingerprint-set.ts';
import type { StreamRecord } from '../../../ports.ts';
import {
  type FoldHead,
  type FoldOutput,
  type FoldSettings,
  type LiveVersion,
  PartitionFold,
  type Taking,
} from '../partition-fold.ts';
import type { StoredFold, StreamFold } from '../stream-fold.ts';
import { checkLayout } from './check-layout.ts';
import { decodeFrame, type Frame, transactionOfFrame } from './frame.ts';
import { SourceMarks } from './source-marks.ts';
import type { StageParts } from './stage-fold.ts';
import type { Topology } from './topology.ts';

export class DecideFold implements StreamFold {
  readonly engine: FeatureEngine;
  readonly #fold: PartitionFold;
  readonly #marks: SourceMarks;
  /** By the transactions that were read out of them. */
  readonly #frames = new WeakMap<Transaction, Frame>();
  #isSilent = false;

  constructor(
    engine: FeatureEngine,
    { topology, decoders }: StageParts,
    settings: FoldSettings,
    stored: StoredFold | null,
  ) {
    this.engine = engine;
    this.#marks = new SourceMarks(stored?.head.marks);
    const frameOf = (transaction: Transaction) => this.#frames.get(transaction)!;
    const read = (value: Uint8Array) => {
      const frame = decodeFrame(value);
      checkLayout(frame, topology, this.#isSilent);
      if (!this.#marks.take(frame.source)) return null;
      const transaction = transactionOfFrame(frame, decoders);
      this.#frames.set(transaction, frame);
      return { frame, transaction };
    };
    this.#fold = new PartitionFold(
      continuing(engine, topology, frameOf),
      {
        transaction: (value) => read(value)?.transaction ?? null,
        label: (value) => {
          const taken = read(value);
          return taken === null
            ? null
            : { transaction: taken.transaction, isFraud: taken.frame.label?.isFraud ?? false };
        },
        control: decoders.control,
      },
      { ...settings, repeatsAreGone: true },
      stored,
    );
  }

  get seen(): FingerprintSet {
    return this.#fold.seen;
  }

  head(): FoldHead {
    return { ...this.#fold.head(), marks: this.#marks.stored() };
  }

  keep(change: ControlRecord): void {
    this.#fold.keep(change);
  }

  take(records: readonly StreamRecord[], version: LiveVersion, taking: Partial<Taking> = {}): FoldOutput {
    this.#isSilent = taking.isSilent ?? false;
    const output = this.#fold.take(records, version, taking);
    const decided = output.decided.flatMap((each) => {
      const { origin, isDecided } = this.#frames.get(each.decision.transaction)!;
      return isDecided ? [] : [{ ...each, origin }];
    });
    return { ...output, decided, counts: { ...output.counts, transactions: decided.length } };
  }
}

/** The engine as one that folds whole rows. */
function continuing(
  engine: FeatureEngine,
  topology: Topology,
  frameOf: (transaction: Transaction) => Frame,
): FeatureEngine {
  const missing = Float64Array.from(topology.definitions, (definition) => definition.missing);
  const kindsOf = ({ visits }: Frame) =>
    topology.visits.reduce((bits, { kinds }, number) => ((visits & (1 << number)) !== 0 ? bits | kinds : bits), 0);
  return {
    ...{ definitions: engine.definitions, width: engine.width },
    fold(transaction, out, offset = 0) {
      const frame = frameOf(transaction);
      out.set(missing, offset);
      if (frame.layout === topology.layout) writeValues(frame, topology, out, offset);
      const keep = frame.admission === 'ok';
      const visit = { kinds: kindsOf(frame), keep, habit: frame.habit, isLate: frame.isLate };
      engine.visit(transaction, visit, out, offset);
      return keep && visit.isLate ? 'late' : frame.admission;
    },
    admit: (transaction) => frameOf(transaction).admission,
    visit: (transaction, visit, out, offset) => engine.visit(transaction, visit, out, offset),
    learnLabel(transaction, isFraud) {
      const frame = frameOf(transaction);
      const isKnown = engine.learnLabel(transaction, isFraud, kindsOf(frame));
      return isKnown || (frame.label?.isKnown ?? false);
    },
    counters: () => engine.counters(),
    memoryBytes: () => engine.memoryBytes(),
    checkpoint: (memory) => engine.checkpoint(memory),
    checkpointBytes: () => engine.checkpointBytes(),
  };
}

/** Those of the visits made, in their order. */
function writeValues(frame: Frame, { visits }: Topology, out: Float64Array, offset: number): void {
  let next = 0;
  visits.forEach(({ columns }, number) => {
    if ((frame.visited & (1 << number)) === 0) return;
    for (const column of columns) out[offset + column] = frame.values[next++];
  });
}
