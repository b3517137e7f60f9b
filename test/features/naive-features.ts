// An independent, slow way to the same features: the whole history as a list, and every window filtered from it.
//
// It shares only the declarations and the domain with the engine. Events are kept in fold order with a time; the window
// of an event holds what was folded before it and is not later than it, and the event itself.
import { haversineKm } from '../../src/domain/geo.ts';
import { SECURITY_OPERATIONS, type Transaction } from '../../src/domain/transaction.ts';
import type { EntityKind, FeatureDefinition, Filter } from '../../src/features/definition.ts';

const DAY_MS = 86_400_000;

interface Known {
  readonly tx: Transaction;
  readonly offHabit: boolean;
  label: boolean | null;
}

const idOf = (tx: Transaction, kind: string): string | null => {
  const terminal = tx.terminalId ?? tx.merchantId;
  const other = tx.payeeId ?? terminal;
  switch (kind) {
    case 'payer':
      return tx.payerId;
    case 'card':
      return tx.cardId;
    case 'device':
      return tx.deviceId;
    case 'payee':
      return tx.payeeId;
    case 'pair':
      return tx.payerId === null || other === null ? null : `${tx.payerId} ${tx.payeeId === null} ${other}`;
    case 'counterparty':
      return other === null ? null : `${tx.payeeId === null} ${other}`;
    case 'terminal':
      return terminal;
    case 'place':
      if (tx.ubigeo !== null || tx.latitude === null) return tx.ubigeo;
      return `${Math.round(tx.latitude * 20)} ${Math.round(tx.longitude! * 20)}`;
    case 'ip':
      return tx.ipAddress;
    default:
      return tx[kind as 'mcc' | 'country' | 'channel' | 'currency'];
  }
};

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

function deviation(values: readonly number[]): number {
  if (values.length < 2) return Number.NaN;
  const centre = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - centre) ** 2, 0) / (values.length - 1));
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  if (sorted.length === 0) return Number.NaN;
  const half = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

export class NaiveFeatures {
  readonly #definitions: readonly FeatureDefinition[];
  readonly #offsetMs: number;
  #history: Known[] = [];

  constructor(definitions: readonly FeatureDefinition[], utcOffsetMinutes: number) {
    this.#definitions = definitions;
    this.#offsetMs = utcOffsetMinutes * 60_000;
  }

  fold(tx: Transaction): number[] {
    const own: Known = { tx, offHabit: this.#isOffHabit(tx), label: tx.isFraud };
    const values = this.#definitions.map((definition) => {
      const value = this.#evaluate(definition, own);
      return Number.isNaN(value) ? definition.missing : value;
    });
    this.#insert(own);
    return values;
  }

  /** Folds an event without working its features out; for features without the habit rule. */
  remember(tx: Transaction): null {
    this.#insert({ tx, offHabit: false, label: tx.isFraud });
    return null;
  }

  #insert(own: Known): void {
    const at = this.#history.findLastIndex((known) => known.tx.eventTimeMs <= own.tx.eventTimeMs);
    this.#history.splice(at + 1, 0, own);
  }

  learnLabel(tx: Transaction, isFraud: boolean): void {
    const known = this.#history.find((candidate) => candidate.tx.id === tx.id);
    if (known !== undefined) known.label = isFraud;
  }

  #hour(tx: Transaction): number {
    return new Date(tx.eventTimeMs + this.#offsetMs).getUTCHours();
  }

  #isOffHabit(tx: Transaction): boolean {
    if (tx.payerId === null) return false;
    const amounts = this.#past('payer', tx, 30 * DAY_MS, 0, null)
      .filter((known) => this.#passes(known, 'habit'))
      .map((known) => known.tx.amountMinor);
    const centre = mean(amounts);
    return amounts.length >= 5 && tx.amountMinor > centre + 3 * deviation(amounts) && tx.amountMinor > 2 * centre;
  }

  #passes(known: Known, filter: Filter): boolean {
    const { tx } = known;
    const security = SECURITY_OPERATIONS.has(tx.operation);
    const approved = tx.status === 'approved' && !security;
    const local = new Date(tx.eventTimeMs + this.#offsetMs);
    switch (filter) {
      case 'all':
        return true;
      case 'approved':
        return approved;
      case 'declined':
        return tx.status === 'declined';
      case 'security':
        return security;
      case 'cash':
        return tx.rail === 'cash' || tx.operation === 'cash-withdrawal' || tx.operation === 'cash-deposit';
      case 'night':
        return local.getUTCHours() <= 6;
      case 'weekend':
        return local.getUTCDay() === 0 || local.getUTCDay() === 6;
      case 'round-amount':
        return tx.amountMinor >= 10_000 && tx.amountMinor % 10_000 === 0;
      case 'off-habit':
        return known.offHabit;
      case 'habit':
        return approved && !known.offHabit && known.tx.payerId !== null;
      case 'cross-border':
        return tx.country !== null && tx.country !== 'PE';
      case 'near-threshold':
        throw new Error('not in this oracle');
    }
  }

  /** The entity's events in the window, oldest first, with `own` (if given) behind those of its time. */
  #past(
    kind: string,
    tx: Transaction,
    windowMs: number,
    delayMs: number,
    own: Known | null,
    id = idOf(tx, kind),
  ): Known[] {
    const until = tx.eventTimeMs - delayMs;
    const found = this.#history.filter(
      (known) =>
        idOf(known.tx, kind) === id && known.tx.eventTimeMs <= until && known.tx.eventTimeMs > until - windowMs,
    );
    if (own !== null && delayMs === 0) found.push(own);
    return found;
  }

  #evaluate(definition: FeatureDefinition, own: Known): number {
    const { entity, aggregate, windowMs, delayMs, filter, field } = definition;
    const { tx } = own;
    if (entity === 'transaction') return this.#value(own, field!);
    if (idOf(tx, entity) === null) return Number.NaN;
    const longest = windowMs ?? Number.POSITIVE_INFINITY;
    const before = this.#past(entity, tx, longest, delayMs, null);
    const after = this.#past(entity, tx, longest, delayMs, own);
    const matching = (events: readonly Known[]) => events.filter((known) => this.#passes(known, filter));
    const amounts = (events: readonly Known[]) => matching(events).map((known) => known.tx.amountMinor);
    const ratio = (base: number) => (base > 0 ? tx.amountMinor / base : Number.NaN);
    switch (aggregate) {
      case 'count':
        return matching(after).length;
      case 'sum':
        return amounts(after).reduce((sum, amount) => sum + amount, 0);
      case 'mean':
        return mean(amounts(after));
      case 'std':
        return deviation(amounts(after));
      case 'min':
        return amounts(after).length === 0 ? Number.NaN : Math.min(...amounts(after));
      case 'max':
        return amounts(after).length === 0 ? Number.NaN : Math.max(...amounts(after));
      case 'median':
        return median(amounts(after).slice(-31));
      case 'ratio-to-mean':
        return ratio(mean(amounts(before)));
      case 'ratio-to-median':
        return ratio(median(amounts(before).slice(-31)));
      case 'ratio-to-max':
        return ratio(Math.max(...amounts(before)));
      case 'z-score': {
        const past = amounts(before);
        const centre = mean(past);
        const spread = deviation(past);
        return (tx.amountMinor - centre) / Math.max(spread, 0.05 * Math.abs(centre), 1);
      }
      case 'distinct':
        return new Set(after.map((known) => idOf(known.tx, field!)).filter((id) => id !== null)).size;
      case 'share':
        return matching(after).length / after.length;
      case 'same-amount':
        return amounts(after).filter((amount) => amount === tx.amountMinor).length;
      case 'age':
        return Math.max(0, tx.eventTimeMs - Math.min(tx.eventTimeMs, ...this.#everyTime(entity, tx)));
      case 'is-new':
        return this.#everyTime(entity, tx).length === 0 ? 1 : 0;
      case 'time-since-last':
        return tx.eventTimeMs - (matching(before).at(-1)?.tx.eventTimeMs ?? Number.NaN);
      case 'hour-share': {
        const near = before.filter((known) => [23, 0, 1].includes((this.#hour(known.tx) - this.#hour(tx) + 48) % 24));
        return near.length / before.length;
      }
      case 'hour-entropy': {
        const shares = Array.from(
          { length: 24 },
          (_, hour) => after.filter((known) => this.#hour(known.tx) === hour).length / after.length,
        );
        return shares.reduce((sum, share) => (share > 0 ? sum - share * Math.log2(share) : sum), 0);
      }
      case 'speed':
        return this.#speed(entity, tx);
      case 'pass-through': {
        const account = idOf(tx, entity);
        const moneyIn = amounts(this.#account('payee', account, own, longest)).reduce((a, b) => a + b, 0);
        const moneyOut = amounts(this.#account('payer', account, own, longest)).reduce((a, b) => a + b, 0);
        return moneyIn > 0 ? moneyOut / moneyIn : Number.NaN;
      }
      default:
        return this.#labelled(definition, matching(before), tx);
    }
  }

  #account(role: EntityKind, account: string | null, own: Known, windowMs: number): Known[] {
    const past = this.#past(role, own.tx, windowMs, 0, null, account);
    return idOf(own.tx, role) === account ? [...past, own] : past;
  }

  #everyTime(entity: EntityKind, tx: Transaction): number[] {
    const id = idOf(tx, entity);
    return this.#history.filter((known) => idOf(known.tx, entity) === id).map((known) => known.tx.eventTimeMs);
  }

  /** From the newest place the entity was seen at, whatever its time. */
  #speed(entity: EntityKind, tx: Transaction): number {
    const last = this.#history
      .filter((known) => idOf(known.tx, entity) === idOf(tx, entity) && known.tx.latitude !== null)
      .at(-1)?.tx;
    if (last === undefined || tx.latitude === null) return Number.NaN;
    const km = haversineKm(last.latitude!, last.longitude!, tx.latitude, tx.longitude!);
    return km / (Math.max(60_000, Math.abs(tx.eventTimeMs - last.eventTimeMs)) / 3_600_000);
  }

  #labelled({ aggregate, smoothing }: FeatureDefinition, events: readonly Known[], tx: Transaction): number {
    const frauds = events.filter((known) => known.label === true).length;
    const lastOf = (label: boolean) => events.findLast((known) => known.label === label)?.tx.eventTimeMs ?? Number.NaN;
    const labelled = events.filter((known) => known.label !== null);
    const run = labelled.slice(labelled.findLastIndex((known) => known.label === false) + 1);
    switch (aggregate) {
      case 'fraud-count':
        return frauds;
      case 'fraud-rate':
        return frauds / events.length;
      case 'fraud-rate-smoothed':
        return (frauds + smoothing!.prior * smoothing!.weight) / (events.length + smoothing!.weight);
      case 'fraud-run-length':
        return run.length;
      case 'fraud-run-age':
        return tx.eventTimeMs - (run[0]?.tx.eventTimeMs ?? Number.NaN);
      case 'time-since-genuine':
        return tx.eventTimeMs - lastOf(false);
      case 'time-since-fraud':
        return tx.eventTimeMs - lastOf(true);
      default:
        throw new Error(`no rule for ${aggregate}`);
    }
  }

  #value(own: Known, field: string): number {
    const { tx } = own;
    switch (field) {
      case 'amount':
        return tx.amountMinor;
      case 'hour':
        return this.#hour(tx);
      case 'weekday':
        return (new Date(tx.eventTimeMs + this.#offsetMs).getUTCDay() + 6) % 7;
      case 'off-habit':
        return Number(own.offHabit);
      default:
        return Number(this.#passes(own, field as Filter));
    }
  }
}
