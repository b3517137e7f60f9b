// Money out ÷ money in of one account over a window: a mule account passes on nearly all that it receives.
//
// An account is a payer in one store and a payee in the other; both are asked for the sum as of the event's time.
import type { FeatureDefinition } from './definition.ts';
import type { EntityStore } from './entity-store.ts';
import { type FoldEvent, KINDS } from './event.ts';
import { flagOf } from './event-flags.ts';
import type { KindPlan } from './plan.ts';
import { type EngineStage, isLookedAt, stageHas } from './stage.ts';

const PAYER = KINDS.indexOf('payer');
const PAYEE = KINDS.indexOf('payee');

/** Whether a kind must keep a sum because the same account is looked at in its other role. */
export function needsOtherRole({ aggregate, entity }: FeatureDefinition, kind: string): boolean {
  return aggregate === 'pass-through' && entity !== kind && (kind === 'payer' || kind === 'payee');
}

/** The pass-through features of one of the event's accounts: its payer's or its payee's. */
interface AccountFeatures {
  readonly account: number;
  readonly columns: readonly number[];
  readonly missing: readonly number[];
  /** Record offsets of the sums, as a payer (out) and as a payee (in). */
  readonly sumsOut: readonly number[];
  readonly sumsIn: readonly number[];
}

export class PassThroughs {
  readonly #accounts: readonly AccountFeatures[];
  readonly #out: Float64Array;

  /** @param stage must have both roles or neither: an account's sums as a payer and as a payee are looked at together */
  constructor(
    definitions: readonly FeatureDefinition[],
    stores: readonly (EntityStore | null)[],
    stage: EngineStage | null = null,
  ) {
    const isOurs = stageHas(stage, 'payer') && stageHas(stage, 'payee');
    const all = isOurs ? definitions.filter(({ aggregate }) => aggregate === 'pass-through') : [];
    for (const { id, entity } of all) {
      if (entity !== 'payer' && entity !== 'payee') {
        throw new RangeError(`feature ${id}: pass-through is a feature of the payer or the payee`);
      }
    }
    this.#out = new Float64Array(all.length);
    this.#accounts = [PAYER, PAYEE].flatMap((account) => {
      const own = all.filter(({ entity }) => entity === KINDS[account]);
      return own.length === 0 ? [] : [accountFeatures(account, own, definitions, stores)];
    });
  }

  /** @param kinds the roles whose accounts are looked at, by their bits */
  write(
    stores: readonly (EntityStore | null)[],
    event: FoldEvent,
    kinds: number,
    out: Float64Array,
    offset: number,
  ): void {
    for (let i = 0; i < this.#accounts.length; i++) {
      const { account, columns, missing, sumsOut, sumsIn } = this.#accounts[i];
      if (event.present[account] === 0 || !isLookedAt(kinds, account)) continue;
      const payers = standing(stores[PAYER], event, account);
      for (let j = 0; j < columns.length; j++) this.#out[j] = payers === null ? 0 : sumAt(payers, sumsOut[j]);
      const payees = standing(stores[PAYEE], event, account);
      for (let j = 0; j < columns.length; j++) {
        const moneyIn = payees === null ? 0 : sumAt(payees, sumsIn[j]);
        out[offset + columns[j]] = moneyIn > 0 ? this.#out[j] / moneyIn : missing[j];
      }
    }
  }
}

function accountFeatures(
  account: number,
  own: readonly FeatureDefinition[],
  definitions: readonly FeatureDefinition[],
  stores: readonly (EntityStore | null)[],
): AccountFeatures {
  const offsets = (kind: number) => own.map((definition) => sumOffset(stores[kind]?.plan ?? null, definition));
  return {
    account,
    columns: own.map((definition) => definitions.indexOf(definition)),
    missing: own.map((definition) => definition.missing),
    sumsOut: offsets(PAYER),
    sumsIn: offsets(PAYEE),
  };
}

function sumOffset(plan: KindPlan | null, { id, windowMs, delayMs, filter }: FeatureDefinition): number {
  for (let w = 0; plan !== null && w < plan.windows; w++) {
    if (plan.laneDelayMs[plan.windowLane[w]] !== delayMs || plan.windowSpanMs[w] !== delayMs + (windowMs ?? 0))
      continue;
    for (let i = plan.sums.start[w]; i < plan.sums.start[w + 1]; i++) {
      if (plan.sums.what[i] === flagOf(filter)) return plan.sums.offset[i];
    }
  }
  throw new RangeError(`feature ${id}: pass-through needs a window`);
}

/** The store opened at the account as of the event's time; null if the account is unknown there. */
function standing(store: EntityStore | null, event: FoldEvent, account: number): EntityStore | null {
  if (store === null) return null;
  const slot = store.slots.find(event.keyLow[account], event.keyHigh[account]);
  if (slot < 0) return null;
  store.open(slot);
  store.position(event.timeMs);
  return store;
}

function sumAt(store: EntityStore, sum: number): number {
  return store.floats[store.float + sum];
}
