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
import { type DecidedRow, type Decider, type FoldedBatch, foldBatch } from '../decide-transactions.ts';
import type { EvidenceDraft, EvidenceWish } from '../evidence/draft.ts';
import { type Decision, explainRow, REASONS, type ReasonWording } from '../explain-decision.ts';
import type { Refusal } from './dead-letter.ts';
import { askingOf, type DetectorFailure, partsOfModel } from './detectors-asked.ts';
import { kindOf, VALUE_MISSING } from './record-kinds.ts';
import type { StoredMarks } from './stages/source-marks.ts';
import { StepWatch } from './step-times.ts';

/** What decides, and what it is called in decisions and checkpoints. */
export interface LiveVersion {
  readonly decider: Decider;
  /** `name@version`, null without a model. */
  readonly model: string | null;
  /** Hash of all the rules. */
  readonly rules: string;
  /** `review=0.35,hold=0.8`; null: the model's own. */
  readonly thresholds: string | null;
}

/** The bytes of records as they come. */
export interface RecordDecoders {
  /**
   * Before transactions of these values are decoded: what has to be waited for, a schema; null where that is nothing.
   *
   * @throws StreamUnavailableError by the promise
   */
  prepare?(values: readonly Uint8Array[]): Promise<void> | null;
  /** The same before labels are decoded. */
  prepareLabels?(values: readonly Uint8Array[]): Promise<void> | null;
  /** Whether personal fields of the value are sealed: it goes on as it is, and not as what was read of it. */
  isSealed?(value: Uint8Array): boolean;
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
  /** Of which decisions evidence is kept; left out: of none. */
  readonly evidence?: EvidenceWish;
  /** They were dropped before the records came here; default false. */
  readonly repeatsAreGone?: boolean;
}

export interface DecidedRecord {
  readonly offset: number;
  /** In the stream of transactions, where stages lie between. */
  readonly origin?: { readonly partition: number; readonly offset: number };
  readonly decision: Decision;
  readonly verdict: Verdict;
  /** What it was decided without: detectors by their names, and `REASONS` where there should have been some. */
  readonly degraded: readonly string[];
  readonly versions: Pick<LiveVersion, 'model' | 'rules' | 'thresholds'>;
  /** null where none is to be kept. */
  readonly evidence: EvidenceDraft | null;
}

/** What counts, and the governor's limit when it was decided. */
type VerdictRow = DecidedRow & Pick<EvidenceDraft, 'severest'>;

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
  /** What all of it was decided without, as it must be done again. */
  readonly leftOut: readonly string[];
  readonly failures: readonly DetectorFailure[];
  readonly times: StepWatch;
}

/** How a run of records is taken. */
export interface Taking {
  /** Detectors, and perhaps `REASONS`; those that the version does not have mean nothing. */
  readonly leftOut: readonly string[];
  /** A detector that fails is left out; otherwise it is an error, for what was decided with it is to be decided again. */
  readonly mayFail: boolean;
  /** Its outputs are out already. */
  readonly isSilent: boolean;
  /** ms, for durations alone. */
  readonly now: () => number;
}

export const AS_IT_WAS: Taking = { leftOut: [], mayFail: false, isSilent: false, now: () => 0 };

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
   * @throws DetectorFailedError where a detector fails and none may
   */
  take(records: readonly StreamRecord[], version: LiveVersion, taking: Partial<Taking> = {}): FoldOutput {
    const how = { ...AS_IT_WAS, ...taking };
    const times = new StepWatch(how.now);
    const counts = { transactions: 0, duplicates: 0, late: 0, outOfTime: 0, labels: 0, labelsTooLate: 0 };
    const steps: Step[] = [];
    const refused: { record: StreamRecord; refusal: Refusal }[] = [];
    /** Labels that come before the transaction at this place of `steps`. */
    const labels: (readonly [before: number, label: LabelRecord])[] = [];
    let taken = 0;
    let change: ControlRecord | null = null;
    const read: (Step | LabelRecord)[] = [];
    const readAll = () => {
      for (const record of records) {
        taken++;
        try {
          change = this.#read(record, read);
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          refused.push({ record, refusal: { code: error.code, message: error.message } });
        }
        if (change !== null) break;
      }
    };
    times.measure('decode', readAll);
    times.measure('deduplicate', () => {
      for (const each of read) {
        if (!('record' in each)) labels.push([steps.length, each]);
        else if (this.#isNew(each.transaction)) steps.push(each);
        else counts.duplicates++;
      }
    });
    const decided = this.#decide(steps, labels, version, how, counts, times);
    return { ...decided, refused, counts, taken, change, times };
  }

  #read(record: StreamRecord, read: (Step | LabelRecord)[]): ControlRecord | null {
    const kind = kindOf(record);
    if (kind === null)
      throw new InputError('KIND_UNKNOWN', 'The record is of a kind that this version does not know', 'Update');
    if (record.value === null) throw VALUE_MISSING();
    if (kind === 'control') return this.#decoders.control(record.value);
    if (kind === 'label') {
      const label = this.#decoders.label(record.value);
      if (label !== null) read.push(label);
      return null;
    }
    const transaction = this.#decoders.transaction(record.value);
    if (transaction !== null) read.push({ record, transaction });
    return null;
  }

  #isNew({ id }: Transaction): boolean {
    if (this.#settings.repeatsAreGone) return true;
    hashText(id, this.#low, this.#high, 0);
    return this.#seen.add(this.#low[0], this.#high[0]);
  }

  #decide(
    steps: readonly Step[],
    labels: readonly (readonly [number, LabelRecord])[],
    version: LiveVersion,
    { leftOut: unwanted, mayFail, isSilent }: Taking,
    counts: { -readonly [Name in keyof FoldCounts]: FoldCounts[Name] },
    times: StepWatch,
  ): Pick<FoldOutput, 'decided' | 'governorAlerts' | 'leftOut' | 'failures'> {
    const { decider } = version;
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
    const batch = times.measure('features', () => {
      const folded = foldBatch(
        steps.map(({ transaction }) => transaction),
        folding,
      );
      learnUpTo(steps.length);
      return folded;
    });
    const failures: DetectorFailure[] = [];
    const asking = askingOf({ leftOut: unwanted, mayFail, failures, times });
    const open = times.measure('detect', () => decider.open(batch, asking));
    const failed = failures.map(({ detector }) => detector);
    const leftOut = partsOfModel(decider).filter((part) => unwanted.includes(part) || failed.includes(part));
    const isDegraded = leftOut.some((part) => part !== REASONS);
    const governorAlerts: GovernorAlert[] = [];
    const keeps = isSilent ? undefined : this.#settings.evidence;
    const verdictOf = (index: number): VerdictRow => {
      const decidedRow = open(index);
      const { transaction } = decidedRow;
      const { policy } = decider.version;
      const severest = this.#severest;
      const verdict = severest === null ? decidedRow.verdict : decide(decidedRow.given, { ...policy, severest });
      const result = batch.results[index];
      const inTime = result === 'ok' || result === 'late';
      counts.transactions++;
      if (result === 'late') counts.late++;
      if (!inTime) counts.outOfTime++;
      else {
        const observed = { timeMs: transaction.eventTimeMs, intended: verdict.intended, late: false };
        const report = govern(this.#governor, { ...observed, degraded: isDegraded }, this.#settings.governor);
        this.#severest = report.severest;
        governorAlerts.push(...report.alerts);
      }
      const { input } = decidedRow;
      // The next row overwrites its scores.
      const kept = isKept(keeps, verdict) ? { ...input, scores: input.scores.slice() } : input;
      return { ...decidedRow, input: kept, verdict, severest };
    };
    const rows = times.measure('decide', () => steps.map((_, index) => verdictOf(index)));
    const tellAll = () =>
      steps.map(({ record }, index) =>
        this.#tell(record, rows[index], index, batch, version, leftOut, failures, keeps),
      );
    return { decided: times.measure('reasons', tellAll), governorAlerts, leftOut, failures };
  }

  /** Reasons that fail are left out of their own decision alone: nothing else depends on them. */
  #tell(
    { offset }: StreamRecord,
    row: VerdictRow,
    index: number,
    batch: FoldedBatch,
    { decider, model, rules, thresholds }: LiveVersion,
    leftOut: readonly string[],
    failures: DetectorFailure[],
    keeps: EvidenceWish | undefined,
  ): DecidedRecord {
    const { verdict, severest } = row;
    const { definitions } = this.#engine;
    const { wording } = this.#settings;
    const tell = (without: readonly string[]): DecidedRecord => {
      const decision = explainRow(row, batch, index, decider, wording, 'quick', without);
      // What is approved has no reasons that could be missing.
      const degraded = verdict.action === 'approve' ? without.filter((part) => part !== REASONS) : without;
      const { version } = decider;
      const evidence = isKept(keeps, verdict)
        ? { row, batch, index, decision, version, definitions, severest, leftOut: without, wording, model }
        : null;
      return { offset, decision, verdict, degraded, versions: { model, rules, thresholds }, evidence };
    };
    if (leftOut.includes(REASONS)) return tell(leftOut);
    try {
      return tell(leftOut);
    } catch (error) {
      failures.push({ detector: REASONS, message: (error as Error).message });
      return tell([...leftOut, REASONS]);
    }
  }
}

/** What is not simply approved is an alert. */
function isKept(keeps: EvidenceWish | undefined, { intended }: Verdict): boolean {
  return keeps === 'all' || (keeps === 'alerts' && intended !== 'approve');
}
