// The feature engine: a pure fold of transactions into exact sliding-window features.
//
// Rules. An event sees itself and every event with its time or an earlier one that was folded before it (the SQL window
// also shows it later ones with the same time). An event older than one that its entity has already seen is late: its
// features are exact as of its own time over what was folded before it, and later events see it in its place. An event
// older than the stream's newest by more than `latenessMs` is too late, one too far ahead is too early: both are scored
// over what is retained, counted, and not folded. Duplicates by id are refused by the reader, before the engine.
import type { Transaction } from '../domain/transaction.ts';
import { CheckpointReader, checkpointBytes, encodeCheckpoint } from './checkpoint.ts';
import { createStores } from './create-stores.ts';
import type { EntityKind, FeatureDefinition } from './definition.ts';
import { emit, habitOf } from './emit.ts';
import type { EntityStore } from './entity-store.ts';
import { FoldEvent, KINDS, labelFlags } from './event.ts';
import { FLAG_HABIT, FLAG_OFF_HABIT, flagOf } from './event-flags.ts';
import { isOffHabit } from './habit.ts';
import { checkLimits, DEFAULT_LIMITS, type EngineLimits } from './limits.ts';
import { PassThroughs } from './pass-through.ts';
import { DISTINCT_FIELDS, NEWEST_MS, type Operation } from './plan.ts';
import { ALL_KINDS, type EngineStage, isLookedAt, type Visit } from './stage.ts';
import { type NumberArray, restoreStore, stateArrays } from './state-arrays.ts';
import { ValueSlots } from './value-slots.ts';
import { compileValues, type ValuePlan, writeValues } from './values.ts';

/** What became of an event: only 'ok' and 'late' ones are in the state. */
export type FoldResult = 'ok' | 'late' | 'too-late' | 'too-early';

export interface EngineCounters {
  readonly folded: number;
  readonly late: number;
  readonly tooLate: number;
  readonly tooEarly: number;
  /** Events dropped from full rings before they left their windows. */
  readonly truncated: number;
  /** Entities forgotten after `idleMs`, and before that because their kind was full. */
  readonly evictedEntities: number;
  readonly evictedEarly: number;
  readonly retainedEvents: number;
  readonly entities: Readonly<Partial<Record<EntityKind, number>>>;
}

export interface FeatureEngine {
  readonly definitions: readonly FeatureDefinition[];
  /** Features per event: `definitions.length`. */
  readonly width: number;
  /**
   * Folds one event into the state and writes the features as of this event to `out[offset … offset + width)`, in the
   * order of the definitions.
   */
  fold(tx: Transaction, out: Float64Array, offset?: number): FoldResult;
  /** What becomes of an event, judged by its time: the first half of `fold`, where the stages of a stream share it out. */
  admit(tx: Transaction): Exclude<FoldResult, 'late'>;
  /** The other half: writes the features of the visit's kinds alone; all others stay as they are in `out`. */
  visit(tx: Transaction, visit: Visit, out: Float64Array, offset?: number): void;
  /**
   * A label that arrives later than its event, or changes. It counts once its event is older than a feature's delay.
   * @param kinds whose entities learn it; all where it is left out
   * @returns false if no entity retains the event
   */
  learnLabel(tx: Transaction, isFraud: boolean, kinds?: number): boolean;
  counters(): EngineCounters;
  /** Bytes of all state arrays. */
  memoryBytes(): number;
  /**
   * The whole state; `restoreFeatureEngine` continues from it with identical bits.
   *
   * @param memory to write it into, where it is large enough; the result is a view of it then
   */
  checkpoint(memory?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>;
  /** What a checkpoint takes now. */
  checkpointBytes(): number;
}

/** Entities looked at for every event in one kind, in turn, and for every new entity in its kind. */
const EVICTION_STEPS = 4;
const EVICTION_STEPS_IF_NEW = 3;

const PAYER = KINDS.indexOf('payer');
const PAYEE = KINDS.indexOf('payee');
const TERMINAL = KINDS.indexOf('terminal');

class FoldEngine implements FeatureEngine {
  readonly definitions: readonly FeatureDefinition[];
  readonly width: number;
  readonly limits: EngineLimits;
  readonly stage: EngineStage | null;
  readonly stores: readonly (EntityStore | null)[];
  /** Ids of the values that are counted, of a stage: its own entities are others'. null: the entities' slots are the ids. */
  readonly values: ValueSlots | null;
  readonly #event: FoldEvent;
  /** 1 where the event stays in the state of its entity of the kind. */
  readonly #kept: Uint8Array = new Uint8Array(KINDS.length);
  readonly #whole: { kinds: number; keep: boolean; habit: number; isLate: boolean };
  readonly #values: ValuePlan;
  readonly #passThroughs: PassThroughs;
  readonly #missing: Float64Array;
  readonly #distinctValues: readonly Uint32Array[];
  readonly #distinctSources: readonly Int32Array[];
  readonly #labelDelayMs: Float64Array;
  newestMs = Number.NEGATIVE_INFINITY;
  aheadInRow = 0;
  folded = 0;
  late = 0;
  tooLate = 0;
  tooEarly = 0;

  constructor(definitions: readonly FeatureDefinition[], limits: EngineLimits, stage: EngineStage | null) {
    checkLimits(limits);
    checkIds(definitions);
    this.#whole = { kinds: ALL_KINDS, keep: true, habit: 0, isLate: false };
    this.stage = stage;
    this.definitions = definitions;
    this.width = definitions.length;
    this.limits = limits;
    this.#event = new FoldEvent(
      limits,
      definitions.some(({ filter, field }) => filter === 'near-threshold' || field === 'near-threshold'),
    );
    this.#values = compileValues(stage === null || stage.values ? definitions : []);
    this.#missing = Float64Array.from(definitions, (definition) => definition.missing);
    this.stores = createStores(definitions, limits, this.#event, stage);
    this.values = stage === null ? null : new ValueSlots(this.stores, limits, this.#event);
    this.#passThroughs = new PassThroughs(definitions, this.stores, stage);
    this.#distinctValues = this.stores.map((store) => new Uint32Array(store?.plan.distinctFields.length ?? 0));
    this.#distinctSources = this.stores.map((store) =>
      Int32Array.from(store?.plan.distinctFields ?? [], (field) => DISTINCT_FIELDS.indexOf(field)),
    );
    this.#labelDelayMs = Float64Array.from(this.stores, (store) =>
      store !== null ? (store.plan.laneDelayMs[1] ?? 0) : 0,
    );
  }

  fold(tx: Transaction, out: Float64Array, offset = 0): FoldResult {
    const whole = this.#whole;
    const result = this.admit(tx);
    whole.keep = result === 'ok';
    whole.habit = 0;
    whole.isLate = false;
    out.set(this.#missing, offset);
    this.visit(tx, whole, out, offset);
    return whole.keep && whole.isLate ? 'late' : result;
  }

  visit(tx: Transaction, visit: Visit, out: Float64Array, offset = 0): void {
    const event = this.#event;
    const { kinds, keep } = visit;
    event.read(tx);
    event.flags |= visit.habit;
    this.#resolve(kinds, keep);
    let isLate = false;
    for (let kind = 0; kind < this.stores.length; kind++) {
      const store = this.stores[kind];
      if (store === null || event.slots[kind] < 0) continue;
      if (this.#foldInto(store, kind, tx, keep, out, offset)) isLate = true;
    }
    writeValues(this.#values, tx, event, out, offset);
    this.#passThroughs.write(this.stores, event, kinds, out, offset);
    this.#takeOut();
    visit.habit = event.flags & (FLAG_HABIT | FLAG_OFF_HABIT);
    if (isLate) visit.isLate = true;
    if (!keep) return;
    this.newestMs = Math.max(this.newestMs, event.timeMs);
    this.#evict();
    this.folded++;
    if (isLate) this.late++;
  }

  /** Looks for idle entities: more where one was added, so that a flood of new ones cannot outrun it. */
  #evict(): void {
    const kinds = this.stores.length;
    const newestMs = this.newestMs - this.limits.skewMs;
    this.stores[this.folded % kinds]?.evictIdle(newestMs, EVICTION_STEPS);
    for (let kind = 0; kind < kinds; kind++) {
      if (this.#event.created[kind] === 1) this.stores[kind]?.evictIdle(newestMs, EVICTION_STEPS_IF_NEW);
    }
    this.values?.evictIdle(newestMs, this.folded % kinds, EVICTION_STEPS, EVICTION_STEPS_IF_NEW);
  }

  admit(tx: Transaction): Exclude<FoldResult, 'late'> {
    const { eventTimeMs, ingestTimeMs } = tx;
    if (!Number.isSafeInteger(eventTimeMs) || !Number.isSafeInteger(tx.amountMinor)) {
      throw new RangeError(
        `transaction ${tx.id}: eventTimeMs (${eventTimeMs}) and amountMinor (${tx.amountMinor}) must be integers`,
      );
    }
    if (eventTimeMs < this.newestMs - this.limits.latenessMs) {
      this.tooLate++;
      return 'too-late';
    }
    if (ingestTimeMs !== null && eventTimeMs > ingestTimeMs + this.limits.aheadOfIngestMs) {
      this.tooEarly++;
      return 'too-early';
    }
    const jumps = eventTimeMs > this.newestMs + this.limits.jumpMs && this.folded > 0;
    this.aheadInRow = jumps ? this.aheadInRow + 1 : 0;
    if (jumps && this.aheadInRow < this.limits.jumpConfirmations) {
      this.tooEarly++;
      return 'too-early';
    }
    return 'ok';
  }

  /** Finds or makes the event's entities. */
  #resolve(kinds: number, keep: boolean): void {
    const event = this.#event;
    this.values?.begin();
    for (let kind = 0; kind < this.stores.length; kind++) {
      const store = this.stores[kind];
      event.created[kind] = 0;
      event.slots[kind] = -1;
      if (store === null || event.present[kind] === 0 || !isLookedAt(kinds, kind)) continue;
      const low = event.keyLow[kind];
      const high = event.keyHigh[kind];
      let slot = store.slots.find(low, high);
      if (slot >= 0 && keep && event.timeMs - store.newestOf(slot) > this.limits.idleMs) {
        // Whether eviction has come by meanwhile must make no difference.
        store.open(slot);
        store.forget();
        store.evicted++;
        slot = -1;
      }
      if (slot < 0) {
        slot = store.create(low, high, event.timeMs);
        event.created[kind] = 1;
      }
      event.slots[kind] = slot;
      this.values?.resolve(kind);
    }
  }

  /** @returns whether the entity had already seen a later event */
  #foldInto(
    store: EntityStore,
    kind: number,
    tx: Transaction,
    keep: boolean,
    out: Float64Array,
    offset: number,
  ): boolean {
    const event = this.#event;
    const created = event.created[kind] === 1;
    store.open(event.slots[kind]);
    const newestMs = store.floats[store.float + NEWEST_MS];
    const isLate = newestMs > event.timeMs;
    // Never where the engine is whole: nothing in it is newer than the stream, by which events are admitted.
    const keeps = keep && event.timeMs >= newestMs - this.limits.latenessMs;
    if (keep && !keeps) this.tooLate++;
    this.#kept[kind] = keeps ? 1 : 0;
    store.position(event.timeMs);
    if (kind === PAYER && store.plan.habit !== null) this.#judgeHabit(store, store.plan.habit);
    emit(store, store.plan.before, event, created, out, offset);
    const values = this.#distinctValues[kind];
    const sources = this.#distinctSources[kind];
    for (let c = 0; c < values.length; c++) values[c] = this.#distinctValue(sources[c]);
    const flags = event.flags | labelFlags(tx, event.flags, this.#labelDelayMs[kind]);
    store.insert(event.timeMs, flags, event.amount, values, keeps);
    emit(store, store.plan.after, event, created, out, offset);
    return isLate;
  }

  #judgeHabit(store: EntityStore, operation: Operation): void {
    const event = this.#event;
    const { events, mean, std } = habitOf(store, operation);
    if (isOffHabit(event.amount, events, mean, std)) event.flags |= FLAG_OFF_HABIT;
    else if ((event.flags & flagOf('approved')) !== 0) event.flags |= FLAG_HABIT;
  }

  /** An id of the event's value in a distinct field, 0 for none. */
  #distinctValue(source: number): number {
    const event = this.#event;
    const slots = this.values === null ? event.slots : this.values.slots;
    if (source < KINDS.length) return slots[source] + 1;
    switch (DISTINCT_FIELDS[source]) {
      case 'counterparty':
        return slots[PAYEE] >= 0 ? slots[PAYEE] + 1 : -(slots[TERMINAL] + 1);
      case 'mcc':
        return event.mcc;
      case 'country':
        return event.country;
      case 'channel':
        return event.channel;
      default:
        return event.currency;
    }
  }

  /** Leaves no trace of an event in entities that do not keep it. */
  #takeOut(): void {
    const event = this.#event;
    for (let kind = 0; kind < this.stores.length; kind++) {
      const store = this.stores[kind];
      if (store === null || event.slots[kind] < 0 || this.#kept[kind] === 1) continue;
      store.open(event.slots[kind]);
      store.position(event.timeMs);
      store.takeOut();
      if (event.created[kind] === 1) store.forget();
    }
  }

  learnLabel(tx: Transaction, isFraud: boolean, kinds = ALL_KINDS): boolean {
    const event = this.#event;
    event.read(tx);
    let known = false;
    for (let kind = 0; kind < this.stores.length; kind++) {
      const store = this.stores[kind];
      if (store === null || event.present[kind] === 0 || !isLookedAt(kinds, kind)) continue;
      const slot = store.slots.find(event.keyLow[kind], event.keyHigh[kind]);
      if (slot < 0) continue;
      store.open(slot);
      if (store.learnLabel(event.timeMs, event.amount, isFraud)) known = true;
    }
    return known;
  }

  counters(): EngineCounters {
    const total = (of: (store: EntityStore) => number) =>
      this.stores.reduce((sum, store) => sum + (store === null ? 0 : of(store)), 0);
    const entities: Partial<Record<EntityKind, number>> = {};
    this.stores.forEach((store, kind) => {
      const name = KINDS[kind];
      if (store !== null && name !== 'ip') entities[name] = store.slots.size;
    });
    return {
      folded: this.folded,
      late: this.late,
      tooLate: this.tooLate,
      tooEarly: this.tooEarly,
      truncated: total((store) => store.truncated),
      evictedEntities: total((store) => store.evicted),
      evictedEarly: total((store) => store.evictedEarly),
      retainedEvents: total((store) => store.retainedEvents),
      entities,
    };
  }

  memoryBytes(): number {
    return this.#allStores().reduce((sum, store) => sum + store.memoryBytes(), 0);
  }

  #allStores(): EntityStore[] {
    return [...this.stores, ...(this.values?.stores ?? [])].filter((store) => store !== null);
  }

  restore(reader: CheckpointReader): void {
    const numbers = new Float64Array(6);
    reader.readInto(numbers);
    [this.folded, this.late, this.tooLate, this.tooEarly, this.newestMs, this.aheadInRow] = numbers;
    for (const store of this.#allStores()) restoreStore(store, reader);
    reader.finish();
  }

  checkpoint(memory?: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    return encodeCheckpoint(this.#checkpointHead(), this.#checkpointArrays(), memory);
  }

  checkpointBytes(): number {
    return checkpointBytes(this.#checkpointHead(), this.#checkpointArrays());
  }

  #checkpointHead() {
    return { definitions: identityOf(this.definitions, this.stage), limits: { ...this.limits } };
  }

  #checkpointArrays(): NumberArray[] {
    const { folded, late, tooLate, tooEarly, newestMs, aheadInRow } = this;
    const arrays: NumberArray[] = [Float64Array.of(folded, late, tooLate, tooEarly, newestMs, aheadInRow)];
    for (const store of this.#allStores()) arrays.push(...stateArrays(store));
    return arrays;
  }
}

/** What a state depends on in its definitions; texts may change. */
function identityOf(definitions: readonly FeatureDefinition[], stage: EngineStage | null): string {
  const told = definitions.map(({ meaning: _, unit: __, ...rest }) => rest);
  return JSON.stringify(stage === null ? told : { stage, definitions: told });
}

function checkIds(definitions: readonly FeatureDefinition[]): void {
  const ids = new Set<string>();
  for (const { id } of definitions) {
    if (ids.has(id)) throw new RangeError(`feature ${id} is defined twice`);
    ids.add(id);
  }
}

/**
 * @param stage which entities are its own, where several engines share a stream's features; all where it is left out
 * @throws RangeError if a definition or a limit makes no sense; the message names it.
 */
export function createFeatureEngine(
  definitions: readonly FeatureDefinition[],
  limits: Partial<EngineLimits> = {},
  stage: EngineStage | null = null,
): FeatureEngine {
  return new FoldEngine(definitions, { ...DEFAULT_LIMITS, ...limits }, stage);
}

/**
 * Continues from a checkpoint with identical bits.
 * @param limits may be left out; what is given must be as it was
 * @throws RangeError if the checkpoint is damaged or was made with other definitions, limits or another stage
 */
export function restoreFeatureEngine(
  definitions: readonly FeatureDefinition[],
  bytes: Uint8Array,
  limits: Partial<EngineLimits> = {},
  stage: EngineStage | null = null,
): FeatureEngine {
  const reader = new CheckpointReader(bytes);
  const stored: EngineLimits = { ...DEFAULT_LIMITS, ...reader.head.limits };
  if (reader.head.definitions !== identityOf(definitions, stage)) {
    throw new RangeError('the checkpoint was made with other feature definitions or stages: replay the log instead');
  }
  for (const name of Object.keys(limits) as (keyof EngineLimits)[]) {
    if (JSON.stringify(limits[name]) !== JSON.stringify(stored[name])) {
      throw new RangeError(
        `the checkpoint was made with ${name} = ${JSON.stringify(stored[name])}: replay the log instead`,
      );
    }
  }
  const engine = new FoldEngine(definitions, stored, stage);
  engine.restore(reader);
  return engine;
}
