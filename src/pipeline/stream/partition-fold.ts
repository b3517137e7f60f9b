// One partition of the stream as a fold: records in order → decisions, and a state that is the same whenever it is done.
//
// Pure but for what it is given: no clock, no log. The state is the features' windows, the ids that have been seen, the
// governor and the place of the last change of rules or model; its checkpoint and the records after it give the same
// decisions again, bit for bit. What goes wrong with one record is that record's alone (a dead letter).

import { createGovernorState, type GovernorSettings, type GovernorState, govern } from '../../decisions/governor.ts';
import type { GovernorAlert } from '../../decisions/governor-alert.ts';
import { decide, type Verdict } from '../../decisions/verdict.ts';
import type { ControlRecord, LabelRecord } from '../../domain/stream-records.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { FeatureEngine } from '../../features/engine.ts';
import { InputError } from '../../lib/errors.ts';
import { FingerprintSet } from '../../lib/fingerprint-set.ts';
import { hashText } from '../../lib/hash.ts';
import type { OutgoingRecord, StreamRecord } from '../../ports.ts';
import { type Decider, foldBatch } from '../decide-transactions.ts';
import { type Decision, explainRow, type ReasonWording } from '../explain-decision.ts';
import type { Refusal } from './dead-letter.ts';
import { kindOf, VALUE_MISSING } from './record-kinds.ts';
import type { StoredMarks } from './stages/source-marks.ts';

/** What decides, and what it is called in decisions and checkpoints. */
export interface LiveVersion {
  readonly decider: Decider;
  /** `name@version`, null without a model. */
  readonly model: string | null;
  /** Hash of all the rules. */
  readonly rules: string;
}

/** The bytes of records as they come. */
export interface RecordDecoders {
  /** @throws InputError */
  transaction(value: Uint8Array): Transaction;
  /** @throws InputError */
  label(value: Uint8Array): LabelRecord;
  /** @throws InputError */
  control(value: Uint8Array): ControlRecord;
}

/** What a fold reads by: null for a record that was taken before. */
export interface FoldDecoders extends Pick<RecordDecoders, 'control'> {
  transaction(value: Uint8Array): Transaction | null;
  label(value: Uint8Array): LabelRecord | null;
}

export interface FoldSettings {
  readonly governor: GovernorSettings;
  readonly wording: ReasonWording;
  /** How many ids are remembered: a repeated one is a duplicate. */
  readonly maxIds: number;
  /** They were dropped before the records came here; default false. */
  readonly repeatsAreGone?: boolean;
}

export interface DecidedRecord {
  readonly offset: number;
  /** In the stream of transactions, where stages lie between. */
  readonly origin?: { readonly partition: number; readonly offset: number };
  readonly decision: Decision;
  readonly verdict: Verdict;
  /** What was left out for want of time, by the detectors' names. */
  readonly degraded: readonly string[];
  readonly versions: Pick<LiveVersion, 'model' | 'rules'>;
}

export interface FoldOutput {
  readonly decided: readonly DecidedRecord[];
  readonly refused: readonly { readonly record: StreamRecord; readonly refusal: Refusal }[];
  readonly governorAlerts: readonly GovernorAlert[];
  /** Onto the next stage, where there is one, which knows what it was passed before. */
  readonly passed?: readonly OutgoingRecord[];
  readonly counts: FoldCounts;
  /** Records taken, from the first; the rest follows a change of what decides, which the caller makes. */
  readonly taken: number;
  /** The change that the last record taken asks for. */
  readonly change: ControlRecord | null;
}

export interface FoldCounts {
  readonly transactions: number;
  readonly duplicates: number;
  readonly late: number;
  readonly outOfTime: number;
  readonly labels: number;
  /** Labels whose transaction no window holds any more. */
  readonly labelsTooLate: number;
}

/** What is stored besides the engine's and the ids' own bytes. */
export interface FoldHead {
  /** null where nothing is decided. */
  readonly governor: GovernorState | null;
  readonly severest: Verdict['action'] | null;
  /** Of the last change, to make it again after a restart; null before the first. */
  readonly change: ControlRecord | null;
  /** How far the stages before have been taken, where there are any. */
  readonly marks?: StoredMarks;
}

interface Step {
  readonly record: StreamRecord;
  readonly transaction: Transaction;
}

export class PartitionFold {
  readonly #engine: FeatureEngine;
  readonly #decoders: FoldDecoders;
  readonly #settings: FoldSettings;
  readonly #seen: FingerprintSet;
  readonly #low = new Int32Array(1);
  readonly #high = new Int32Array(1);
  #governor: GovernorState;
  #severest: Verdict['action'] | null;
  #change: ControlRecord | null;

  /** @param stored from a checkpoint; the engine is restored by the caller */
  constructor(
    engine: FeatureEngine,
    decoders: FoldDecoders,
    settings: FoldSettings,
    stored: { readonly head: FoldHead; readonly seen: FingerprintSet } | null = null,
  ) {
    this.#engine = engine;
    this.#decoders = decoders;
    this.#settings = settings;
    this.#seen = stored?.seen ?? new FingerprintSet(settings.maxIds);
    this.#governor = stored?.head.governor ?? createGovernorState();
    this.#severest = stored?.head.severest ?? null;
    this.#change = stored?.head.change ?? null;
  }

  get engine(): FeatureEngine {
    return this.#engine;
  }

  get seen(): FingerprintSet {
    return this.#seen;
  }

  head(): FoldHead {
    return { governor: this.#governor, severest: this.#severest, change: this.#change };
  }

  /** A change that was made is made again after a restart; one that cannot be made leaves no trace. */
  keep(change: ControlRecord): void {
    this.#change = { ...this.#change, ...change };
  }

  /**
   * Takes records until one of them changes what decides.
   *
   * @param degraded detectors that the version leaves out
   */
  take(records: readonly StreamRecord[], version: LiveVersion, degraded: readonly string[] = []): FoldOutput {
    const counts = { transactions: 0, duplicates: 0, late: 0, outOfTime: 0, labels: 0, labelsTooLate: 0 };
    const steps: Step[] = [];
    const refused: { record: StreamRecord; refusal: Refusal }[] = [];
    /** Labels that come before the transaction at this place of `steps`. */
    const labels: (readonly [before: number, label: LabelRecord])[] = [];
    let taken = 0;
    let change: ControlRecord | null = null;
    for (const record of records) {
      taken++;
      try {
        change = this.#read(record, steps, labels, counts);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        refused.push({ record, refusal: { code: error.code, message: error.message } });
      }
      if (change !== null) break;
    }
    const { decided, governorAlerts } = this.#decide(steps, labels, version, degraded, counts);
    return { decided, refused, governorAlerts, counts, taken, change };
  }

  #read(
    record: StreamRecord,
    steps: Step[],
    labels: (readonly [number, LabelRecord])[],
    counts: { duplicates: number },
  ): ControlRecord | null {
    const kind = kindOf(record);
    if (kind === null)
      throw new InputError('KIND_UNKNOWN', 'The record is of a kind that this version does not know', 'Update');
    if (record.value === null) throw VALUE_MISSING();
    if (kind === 'control') return this.#decoders.control(record.value);
    if (kind === 'label') {
      const label = this.#decoders.label(record.value);
      if (label !== null) labels.push([steps.length, label]);
      return null;
    }
    const transaction = this.#decoders.transaction(record.value);
    if (transaction === null) return null;
    hashText(transaction.id, this.#low, this.#high, 0);
    if (this.#settings.repeatsAreGone || this.#seen.add(this.#low[0], this.#high[0]))
      steps.push({ record, transaction });
    else counts.duplicates++;
    return null;
  }

  #decide(
    steps: readonly Step[],
    labels: readonly (readonly [number, LabelRecord])[],
    { decider, model, rules }: LiveVersion,
    degraded: readonly string[],
    counts: { -readonly [Name in keyof FoldCounts]: FoldCounts[Name] },
  ): Pick<FoldOutput, 'decided' | 'governorAlerts'> {
    const engine = this.#engine;
    let next = 0;
    let row = 0;
    const learnUpTo = (place: number) => {
      for (; next < labels.length && labels[next][0] <= place; next++) {
        const { transaction, isFraud } = labels[next][1];
        counts.labels++;
        if (!engine.learnLabel(transaction, isFraud)) counts.labelsTooLate++;
      }
    };
    const folding = {
      ...{ definitions: engine.definitions, width: engine.width, counters: () => engine.counters() },
      fold: (transaction: Transaction, out: Float64Array, offset?: number) => {
        learnUpTo(row++);
        return engine.fold(transaction, out, offset);
      },
    };
    const batch = foldBatch(
      steps.map(({ transaction }) => transaction),
      folding,
    );
    learnUpTo(steps.length);
    const open = decider.open(batch);
    const governorAlerts: GovernorAlert[] = [];
    const decided = steps.map(({ record, transaction }, index): DecidedRecord => {
      const decidedRow = open(index);
      const { policy } = decider.version;
      const verdict =
        this.#severest === null
          ? decidedRow.verdict
          : decide(decidedRow.given, { ...policy, severest: this.#severest });
      const result = batch.results[index];
      const inTime = result === 'ok' || result === 'late';
      counts.transactions++;
      if (result === 'late') counts.late++;
      if (!inTime) counts.outOfTime++;
      else {
        const observed = { timeMs: transaction.eventTimeMs, intended: verdict.intended, late: false };
        const report = govern(this.#governor, { ...observed, degraded: degraded.length > 0 }, this.#settings.governor);
        this.#severest = report.severest;
        governorAlerts.push(...report.alerts);
      }
      const decision = explainRow({ ...decidedRow, verdict }, batch, index, decider, this.#settings.wording, 'quick');
      return { offset: record.offset, decision, verdict, degraded, versions: { model, rules } };
    });
    return { decided, governorAlerts };
  }
}
