// Where a stream's features are shared out among stages, each with the events of its own entities: what an engine of a
// stage is told of an event by those before it.
//
// An engine of a stage has state for its kinds alone. What it counts (the different payers of a payee) are ids of others'
// entities: see value-slots.ts.
import type { EntityKind } from './definition.ts';
import { KINDS } from './event.ts';

export interface EngineStage {
  /** Whose entities have their state here. */
  readonly kinds: readonly EntityKind[];
  /** The event's own properties are written here. */
  readonly values: boolean;
}

/** One look at an event with some of its entities. */
export interface Visit {
  /** Of kinds, one bit each. */
  readonly kinds: number;
  /** It stays in the state: its time was admitted. */
  readonly keep: boolean;
  /** What the payer's visit says of the payer's habit, as flags of the event; set by that visit. */
  habit: number;
  /** Set where an entity had already seen a later event. */
  isLate: boolean;
}

export const ALL_KINDS: number = (1 << KINDS.length) - 1;

export function kindBits(kinds: readonly EntityKind[]): number {
  return kinds.reduce((bits, kind) => bits | (1 << KINDS.indexOf(kind)), 0);
}

export function isLookedAt(kinds: number, kind: number): boolean {
  return (kinds & (1 << kind)) !== 0;
}

export function stageHas(stage: EngineStage | null, kind: (typeof KINDS)[number]): boolean {
  return stage === null || (stage.kinds as readonly string[]).includes(kind);
}
