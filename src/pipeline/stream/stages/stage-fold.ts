// A stage that decides nothing as a fold: each record visits its entities here and goes on to the next stage.
//
// The first stage reads the stream itself: what is no transaction is refused there, a repeated id is dropped, and an event's
// time is judged, once for all stages.
import type { ControlRecord, LabelRecord } from '../../../domain/stream-records.ts';
import type { Transaction } from '../../../domain/transaction.ts';
import type { FeatureEngine } from '../../../features/engine.ts';
import type { Visit } from '../../../features/stage.ts';
import { InputError } from '../../../lib/errors.ts';
import { FingerprintSet } from '../../../lib/fingerprint-set.ts';
import { hashText } from '../../../lib/hash.ts';
import type { OutgoingRecord, StreamRecord } from '../../../ports.ts';
import type { Refusal } from '../dead-letter.ts';
import {
  AS_IT_WAS,
  type FoldHead,
  type FoldOutput,
  type LiveVersion,
  type RecordDecoders,
  type Taking,
} from '../partition-fold.ts';
import { kindHeader, kindOf, VALUE_MISSING } from '../record-kinds.ts';
import { StepWatch } from '../step-times.ts';
import type { StoredFold, StreamFold } from '../stream-fold.ts';
import { checkLayout } from './check-layout.ts';
import { decodeFrame, encodeFrame, type Frame, transactionBytes, transactionOfFrame } from './frame.ts';
import { SourceMarks } from './source-marks.ts';
import type { StageTopics } from './stage-topics.ts';
import { nextStop, type Topology } from './topology.ts';

/** What all stages share. */
export interface StageParts {
  readonly topology: Topology;
  readonly topics: StageTopics;
  readonly decoders: RecordDecoders;
}

/** Which partition of which stage is folded, as those after it know it. */
export interface OwnPlace {
  /** 0 for the first. */
  readonly stage: number;
  readonly partition: number;
}

/** Of the stream's partition that a first stage reads. */
export interface FirstStage {
  /** What comes before it was decided before there were stages. */
  readonly decidedBefore: number;
}

interface Step {
  readonly frame: Frame;
  readonly transaction: Transaction;
}

type Counts = { duplicates: number };

const NO_HEADERS: OutgoingRecord['headers'] = [];
const LABEL_HEADERS: OutgoingRecord['headers'] = [kindHeader('label')];
const NO_VALUES = new Float64Array(0);
const encoder = new TextEncoder();

export class StageFold implements StreamFold {
  readonly engine: FeatureEngine;
  readonly seen: FingerprintSet;
  readonly #parts: StageParts;
  /** Of the stream, of which it is the first stage; null for a later one. */
  readonly #first: FirstStage | null;
  readonly #place: OwnPlace;
  readonly #marks: SourceMarks;
  readonly #row: Float64Array;
  readonly #missing: Float64Array;
  readonly #low = new Int32Array(1);
  readonly #high = new Int32Array(1);

  constructor(
    engine: FeatureEngine,
    parts: StageParts,
    place: OwnPlace,
    first: FirstStage | null,
    maxIds: number,
    stored: StoredFold | null,
  ) {
    this.engine = engine;
    this.#parts = parts;
    this.#place = place;
    this.#first = first;
    this.#marks = new SourceMarks(stored?.head.marks);
    this.seen = stored?.seen ?? new FingerprintSet(maxIds);
    this.#row = new Float64Array(engine.width);
    this.#missing = Float64Array.from(engine.definitions, ({ missing }) => missing);
  }

  head(): FoldHead {
    return { governor: null, severest: null, change: null, marks: this.#marks.stored() };
  }

  keep(_change: ControlRecord): void {
    throw new Error('a stage that decides nothing has nothing that could be changed');
  }

  take(records: readonly StreamRecord[], _version: LiveVersion, taking: Partial<Taking> = {}): FoldOutput {
    const { now, isSilent } = { ...AS_IT_WAS, ...taking };
    const times = new StepWatch(now);
    const taken = times.measure('features', () => this.#takeAll(records, isSilent));
    return { ...taken, decided: [], governorAlerts: [], change: null, leftOut: [], failures: [], times };
  }

  #takeAll(
    records: readonly StreamRecord[],
    isSilent: boolean,
  ): Pick<FoldOutput, 'refused' | 'passed' | 'taken' | 'counts'> {
    const counts: Counts = { duplicates: 0 };
    const passed: OutgoingRecord[] = [];
    const refused: { record: StreamRecord; refusal: Refusal }[] = [];
    for (const record of records) {
      try {
        const step = this.#first === null ? this.#onItsWay(record, isSilent) : this.#new(record, this.#first, counts);
        if (step === null) continue;
        this.#visit(step);
        if (!isSilent) passed.push(this.#goingOn(step, record));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        if (record.offset < (this.#first?.decidedBefore ?? 0)) continue;
        refused.push({ record, refusal: { code: error.code, message: error.message } });
      }
    }
    return {
      ...{ refused, passed, taken: records.length },
      counts: { transactions: 0, late: 0, outOfTime: 0, labels: 0, labelsTooLate: 0, ...counts },
    };
  }

  /** @returns null for a duplicate */
  #new(record: StreamRecord, { decidedBefore }: FirstStage, counts: Counts): Step | null {
    const kind = kindOf(record);
    if (kind === null) {
      throw new InputError('KIND_UNKNOWN', 'The record is of a kind that this version does not know', 'Update');
    }
    if (record.value === null) throw VALUE_MISSING();
    if (kind === 'control') {
      throw new InputError(
        'CONTROL_ON_STREAM',
        'A change stands among the transactions, where keyed stages take none',
        'Send it to the topic of changes',
      );
    }
    const { decoders } = this.#parts;
    const origin = { partition: this.#place.partition, offset: record.offset };
    if (kind === 'label') return this.#label(decoders.label(record.value), origin, record.value);
    const transaction = decoders.transaction(record.value);
    hashText(transaction.id, this.#low, this.#high, 0);
    if (!this.seen.add(this.#low[0], this.#high[0])) {
      counts.duplicates++;
      return null;
    }
    const admission = this.engine.admit(transaction);
    const isDecided = record.offset < decidedBefore;
    return { transaction, frame: { ...this.#newFrame(origin, transaction, record.value), admission, isDecided } };
  }

  #label({ transaction, isFraud }: LabelRecord, origin: Frame['origin'], value: Uint8Array): Step {
    const frame = { ...this.#newFrame(origin, transaction, value), label: { isFraud, isKnown: false } };
    return { transaction, frame };
  }

  /** @param value of the record */
  #newFrame(origin: Frame['origin'], transaction: Transaction, value: Uint8Array): Frame {
    const { topology, decoders } = this.#parts;
    const { layout } = topology;
    const isSealed = decoders.isSealed?.(value) ?? false;
    return {
      ...{
        origin,
        source: { stage: 0, ...origin },
        layout,
        admission: 'ok',
        isLate: false,
        habit: 0,
        visited: 0,
        visits: 0,
        values: NO_VALUES,
      },
      ...{ isDecided: false, label: null, isSealed, transaction: isSealed ? value : transactionBytes(transaction) },
    };
  }

  /** @returns null for what has been passed on to here before */
  #onItsWay({ value }: StreamRecord, isSilent: boolean): Step | null {
    if (value === null) throw VALUE_MISSING();
    const frame = decodeFrame(value);
    checkLayout(frame, this.#parts.topology, isSilent);
    if (!this.#marks.take(frame.source)) return null;
    return { frame, transaction: transactionOfFrame(frame, this.#parts.decoders) };
  }

  #visit({ frame, transaction }: Step): void {
    const { visits } = this.#parts.topology;
    const now = visits.filter((_, number) => (frame.visits & (1 << number)) !== 0);
    const kinds = now.reduce((bits, visit) => bits | visit.kinds, 0);
    if (frame.label !== null) {
      if (this.engine.learnLabel(transaction, frame.label.isFraud, kinds)) frame.label.isKnown = true;
      return;
    }
    const visit: Visit = { kinds, keep: frame.admission === 'ok', habit: frame.habit, isLate: frame.isLate };
    // Of a visit's kinds the transaction may lack one: who pays nobody has no pair.
    this.#row.set(this.#missing);
    this.engine.visit(transaction, visit, this.#row);
    frame.habit = visit.habit;
    frame.isLate = visit.isLate;
    const columns = now.flatMap((each) => each.columns);
    const values = new Float64Array(frame.values.length + columns.length);
    values.set(frame.values);
    columns.forEach((column, index) => {
      values[frame.values.length + index] = this.#row[column];
    });
    frame.values = values;
  }

  #goingOn({ frame, transaction }: Step, { timestampMs, offset }: StreamRecord): OutgoingRecord {
    const { topology, topics } = this.#parts;
    const visited = frame.visited | frame.visits;
    const { stage, key, visits } = nextStop(topology, transaction, 31 - Math.clz32(visited));
    return {
      ...{ topic: topics[stage], partition: null, key: encoder.encode(key), timestampMs },
      headers: frame.label === null ? NO_HEADERS : LABEL_HEADERS,
      value: encodeFrame({ ...frame, visited, visits, source: { ...this.#place, offset } }),
    };
  }
}
