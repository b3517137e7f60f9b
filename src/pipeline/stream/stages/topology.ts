// The stages of a keyed stream: which entities' features are computed where, and the way that a transaction takes.
//
// A transaction visits each of its entities where all of that entity's transactions come together: in the partition of a
// stage's topic that its key chooses. What it has not got it does not visit. An account is visited as the payer and as the
// payee in one and the same topic, because what passes through it (money out ÷ money in) needs both. The last stage is
// visited by everything and decides.

import type { Transaction } from '../../../domain/transaction.ts';
import type { EntityKind, FeatureDefinition } from '../../../features/definition.ts';
import { type EntityKeyKind, entityKey } from '../../../features/entity-key.ts';
import { type EngineStage, kindBits } from '../../../features/stage.ts';

/** Of the stages after the first, in the order in which they are visited. */
export const STAGE_NAMES = ['accounts', 'devices', 'cards', 'places', 'terminals'] as const;
export type StageName = (typeof STAGE_NAMES)[number];

/** The one that decides. */
export const LAST_STAGE: StageName = 'terminals';

/** All visits that there can be, in their order. */
const VISITS: readonly {
  readonly stage: StageName;
  readonly by: EntityKeyKind;
  readonly kinds: readonly EntityKind[];
}[] = [
  // A pair is one of its payer's.
  { stage: 'accounts', by: 'payer', kinds: ['payer', 'pair'] },
  { stage: 'accounts', by: 'payee', kinds: ['payee'] },
  { stage: 'devices', by: 'device', kinds: ['device'] },
  { stage: 'cards', by: 'card', kinds: ['card'] },
  { stage: 'places', by: 'place', kinds: ['place'] },
  { stage: 'terminals', by: 'terminal', kinds: ['terminal'] },
];

/** A visit that some feature needs; its number is its place among those. */
export interface PlannedVisit {
  readonly stage: StageName;
  readonly by: EntityKeyKind;
  /** Bits of its kinds, for the engine. */
  readonly kinds: number;
  /** Columns that it fills. */
  readonly columns: readonly number[];
}

export interface Topology {
  readonly definitions: readonly FeatureDefinition[];
  readonly visits: readonly PlannedVisit[];
  /** Stages that have visits, in their order, and the last. */
  readonly stages: readonly StageName[];
  /** Tells records that were made with other features. */
  readonly layout: number;
  engineStage(stage: StageName): EngineStage;
}

/** Where a transaction goes next. */
export interface NextStop {
  readonly stage: StageName;
  readonly key: string;
  /** Bits of the visits to be made there. */
  readonly visits: number;
}

export function topologyOf(definitions: readonly FeatureDefinition[]): Topology {
  const needed = neededKinds(definitions);
  const visits = VISITS.filter(({ kinds }) => kinds.some((kind) => needed.has(kind))).map(
    ({ stage, by, kinds }): PlannedVisit => {
      const columns = definitions.flatMap(({ entity }, column) =>
        (kinds as readonly string[]).includes(entity) ? [column] : [],
      );
      return { stage, by, kinds: kindBits(kinds), columns };
    },
  );
  const stages = STAGE_NAMES.filter((name) => name === LAST_STAGE || visits.some(({ stage }) => stage === name));
  return {
    ...{ definitions, visits, stages, layout: layoutOf(definitions) },
    engineStage: (stage) => ({
      kinds: VISITS.filter((visit) => visit.stage === stage).flatMap(({ kinds }) => kinds),
      values: stage === LAST_STAGE,
    }),
  };
}

/**
 * @param after number of the visit that comes before; −1 at the beginning
 * @returns the next stage where the transaction has an entity; the last where there is none
 */
export function nextStop({ visits }: Topology, transaction: Transaction, after: number): NextStop {
  for (let number = after + 1; number < visits.length; number++) {
    const { stage, by } = visits[number];
    const key = entityKey(transaction, by);
    if (key === null) continue;
    let bits = 1 << number;
    // An account that pays itself is looked at once, in both its roles.
    for (let other = number + 1; other < visits.length && visits[other].stage === stage; other++) {
      if (entityKey(transaction, visits[other].by) === key) bits |= 1 << other;
    }
    return { stage, key, visits: bits };
  }
  const { payerId, cardId, id } = transaction;
  return { stage: LAST_STAGE, key: payerId ?? cardId ?? id, visits: 0 };
}

/** Kinds that features are of, or need of others. */
function neededKinds(definitions: readonly FeatureDefinition[]): Set<string> {
  const kinds = new Set<string>();
  for (const { entity, aggregate, filter, field } of definitions) {
    kinds.add(entity);
    // Money in and out of an account is looked at from both its sides.
    if (aggregate === 'pass-through') kinds.add('payer').add('payee');
    // The habit is the payer's, whoever counts by it.
    if (filter === 'habit' || filter === 'off-habit' || field === 'off-habit') kinds.add('payer');
  }
  return kinds;
}

function layoutOf(definitions: readonly FeatureDefinition[]): number {
  let hash = 0x811c9dc5;
  for (const letter of JSON.stringify(definitions.map(({ id, entity }) => [id, entity]))) {
    hash = Math.imul(hash ^ letter.charCodeAt(0), 0x01000193);
  }
  return hash >>> 0;
}
