// Money out ÷ money in of one account over a window: a mule account passes on nearly all that it receives.
//
// An account is a payer in one store and a payee in the other; both are asked for the sum as of the event's time.
import type { FeatureDefinition } from './definition.ts';
import type { EntityStore } from './entity-store.ts';
import { type FoldEvent, KINDS } from './event.ts';
import { flagOf } from './event-flags.ts';
import type { KindPlan } from './plan.ts';

const PAYER = KINDS.indexOf('payer');
const PAYEE = KINDS.indexOf('payee');

/** Whether a kind must keep a sum because the same account is looked at in its other role. */
export function needsOtherRole({ aggregate, entity }: FeatureDefinition, kind: string): boolean {
  return aggregate === 'pass-through' && entity !== kind && (kind === 'payer' || kind === 'payee');
}

interface PassThrough {
  readonly column: number;
  readonly missing: number;
  /** The kind of the event's account: the payer or the payee. */
  readonly account: number;
  /** Record offsets of the sums, as a payer (out) and as a payee (in). */
  readonly sumOut: number;
  readonly sumIn: number;
}

export class PassThroughs {
  readonly #features: readonly PassThrough[];

  constructor(definitions: readonly FeatureDefinition[], stores: readonly (EntityStore | null)[]) {
    this.#features = definitions.flatMap((definition, column) => {
      if (definition.aggregate !== 'pass-through') return [];
      const payers = stores[PAYER];
      const payees = stores[PAYEE];
      const account = (KINDS as readonly string[]).indexOf(definition.entity);
      if (payers === null || payees === null || (account !== PAYER && account !== PAYEE)) {
        throw new RangeError(`feature ${definition.id}: pass-through is a feature of the payer or the payee`);
      }
      return [
        {
          column,
          missing: definition.missing,
          account,
          sumOut: sumOffset(payers.plan, definition),
          sumIn: sumOffset(payees.plan, definition),
        },
      ];
    });
  }

  write(stores: readonly (EntityStore | null)[], event: FoldEvent, out: Float64Array, offset: number): void {
    for (let i = 0; i < this.#features.length; i++) {
      const { account, column, missing, sumOut, sumIn } = this.#features[i];
      if (event.present[account] === 0) continue;
      const moneyIn = sumOf(stores[PAYEE], event, account, sumIn);
      out[offset + column] = moneyIn > 0 ? sumOf(stores[PAYER], event, account, sumOut) / moneyIn : missing;
    }
  }
}

function sumOffset(plan: KindPlan, { id, windowMs, delayMs, filter }: FeatureDefinition): number {
  for (let w = 0; w < plan.windows; w++) {
    if (plan.laneDelayMs[plan.windowLane[w]] !== delayMs || plan.windowSpanMs[w] !== delayMs + (windowMs ?? 0))
      continue;
    for (let i = plan.sums.start[w]; i < plan.sums.start[w + 1]; i++) {
      if (plan.sums.what[i] === flagOf(filter)) return plan.sums.offset[i];
    }
  }
  throw new RangeError(`feature ${id}: pass-through needs a window`);
}

/** The sum that an account has in a store as of the event's time, 0 if it is unknown there. */
function sumOf(store: EntityStore | null, event: FoldEvent, account: number, sum: number): number {
  if (store === null) return 0;
  const slot = store.slots.find(event.keyLow[account], event.keyHigh[account]);
  if (slot < 0) return 0;
  store.open(slot);
  store.position(event.timeMs);
  return store.floats[store.float + sum];
}
