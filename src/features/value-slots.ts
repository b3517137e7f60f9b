// Ids of what a stage counts: the different payers of a payee, where the payers have their state elsewhere.
//
// In a whole engine an entity's slot is its id. In a stage it must not be: to count a payee among a payer's counterparties
// is not yet to have seen the payee, who may have a state of its own in the same engine. So ids have tables of their own.
import { EntityStore } from './entity-store.ts';
import { type FoldEvent, KINDS } from './event.ts';
import type { EngineLimits } from './limits.ts';
import { compilePlan, type DistinctField, NEWEST_MS } from './plan.ts';

const COUNTERPARTY = ['payee', 'terminal'] as const;

export class ValueSlots {
  /** By kind; null where nobody counts it. */
  readonly stores: readonly (EntityStore | null)[];
  /** Of the event's values that were asked for, −1 for none. */
  readonly slots: Int32Array = new Int32Array(KINDS.length).fill(-1);
  readonly #event: FoldEvent;
  readonly #created: Uint8Array = new Uint8Array(KINDS.length);
  /** Kinds that entities of a kind count. */
  readonly #countedBy: readonly (readonly number[])[];

  constructor(stores: readonly (EntityStore | null)[], limits: EngineLimits, event: FoldEvent) {
    this.#event = event;
    this.#countedBy = stores.map((store) => [...new Set((store?.plan.distinctFields ?? []).flatMap(kindsOf))]);
    const counted = new Set(this.#countedBy.flat());
    this.stores = KINDS.map((kind, index) =>
      counted.has(index) ? new EntityStore(compilePlan(kind, [], false), limits, event) : null,
    );
  }

  /** Before an event's entities: what the last one left behind must not be seen. */
  begin(): void {
    this.#created.fill(0);
    this.slots.fill(-1);
  }

  /** Finds or makes the ids that the event's entity of a kind counts. */
  resolve(kind: number): void {
    const event = this.#event;
    for (const counted of this.#countedBy[kind]) {
      const store = this.stores[counted]!;
      if (this.slots[counted] >= 0 || event.present[counted] === 0) continue;
      let slot = store.slots.find(event.keyLow[counted], event.keyHigh[counted]);
      if (slot < 0) {
        slot = store.create(event.keyLow[counted], event.keyHigh[counted], event.timeMs);
        this.#created[counted] = 1;
      }
      store.open(slot);
      const newest = store.float + NEWEST_MS;
      if (event.timeMs > store.floats[newest]) store.floats[newest] = event.timeMs;
      this.slots[counted] = slot;
    }
  }

  evictIdle(newestMs: number, kind: number, steps: number, stepsIfNew: number): void {
    this.stores[kind]?.evictIdle(newestMs, steps);
    for (let each = 0; each < this.stores.length; each++) {
      if (this.#created[each] === 1) this.stores[each]?.evictIdle(newestMs, stepsIfNew);
    }
  }
}

function kindsOf(field: DistinctField): number[] {
  const kinds = field === 'counterparty' ? COUNTERPARTY : [field];
  return kinds.map((kind) => (KINDS as readonly string[]).indexOf(kind)).filter((kind) => kind >= 0);
}
