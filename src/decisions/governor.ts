// The safety governor: when rules or a model go wrong, they do so at once for thousands of customers. It watches, over
// sliding windows of event time, how many transactions are blocked, how many alerts there are and how many decisions were
// made in haste, and while one of them is above its limit nothing severer than `fallback` is done.
//
// It watches what was intended, not what was done under it: otherwise the fallback would hide its own cause. It returns
// by itself, once all is below `returnShare` of the limits for `calmMs` (a hysteresis, as a thermostat has, so that it does
// not flutter). Pure: the same observations give the same decisions; the state is plain data and can be stored as JSON.
import { ACTIONS, type RuleAction } from '../rules/rule.ts';

export const SIGNALS = ['blocked-share', 'alerts', 'degraded-share'] as const;
export type GovernorSignal = (typeof SIGNALS)[number];

export interface GovernorSettings {
  /** What is watched goes back so far in event time. */
  readonly windowMs: number;
  /** Share of the transactions that would be held or declined. */
  readonly maxBlockedShare: number;
  /** Transactions in the window that would not simply be approved. */
  readonly maxAlerts: number;
  /** Share of the decisions that missed their deadline or were made without all they need. */
  readonly maxDegradedShare: number;
  /** Shares of fewer transactions than these say nothing. */
  readonly minTransactions: number;
  /** Of each limit: below it all is well again. */
  readonly returnShare: number;
  /** For so long all must be well before it returns. */
  readonly calmMs: number;
  readonly fallback: RuleAction;
}

/** Limits that a healthy bank stays far below; each bank sets its own from a replay. */
export const DEFAULT_GOVERNOR: GovernorSettings = {
  windowMs: 3_600_000,
  maxBlockedShare: 0.05,
  maxAlerts: 2000,
  maxDegradedShare: 0.2,
  minTransactions: 200,
  returnShare: 0.7,
  calmMs: 900_000,
  fallback: 'challenge',
};

export interface GovernorObservation {
  /** Of an event that the feature engine took: one far ahead of its time would empty the window. */
  readonly timeMs: number;
  /** Without the governor and without the control group. */
  readonly intended: RuleAction;
  readonly degraded: boolean;
}

export interface GovernorState {
  /** The newest bucket's number (event time ÷ width of a bucket); null before the first event. */
  newest: number | null;
  /** Ring of `BUCKETS` per count: what happened in each part of the window. */
  readonly transactions: number[];
  readonly blocked: number[];
  readonly alerts: number[];
  readonly degraded: number[];
  /** Sums of the rings. */
  readonly total: { transactions: number; blocked: number; alerts: number; degraded: number };
  active: boolean;
  /** Which limit was crossed when it stepped in; null while it is at rest. */
  cause: GovernorSignal | null;
  /** Since when all is well again; null while it is not. */
  calmSinceMs: number | null;
}

export interface GovernorReport {
  /** For `VerdictPolicy.severest`. */
  readonly severest: RuleAction | null;
  /** It stepped in, or returned, with this observation. */
  readonly change: 'stepped-in' | 'returned' | null;
  readonly cause: GovernorSignal | null;
}

/** The window is exact to one bucket. */
const BUCKETS = 60;
const BLOCKED_FROM = ACTIONS.indexOf('hold');
const COUNTS = ['transactions', 'blocked', 'alerts', 'degraded'] as const;

export function createGovernorState(): GovernorState {
  const ring = () => new Array<number>(BUCKETS).fill(0);
  return {
    ...{ newest: null, transactions: ring(), blocked: ring(), alerts: ring(), degraded: ring() },
    total: { transactions: 0, blocked: 0, alerts: 0, degraded: 0 },
    ...{ active: false, cause: null, calmSinceMs: null },
  };
}

/** Moves the state on past one decision, and says what the next ones may do. Events older than the window are left out. */
export function govern(
  state: GovernorState,
  { timeMs, intended, degraded }: GovernorObservation,
  settings: GovernorSettings,
): GovernorReport {
  const bucket = Math.floor(timeMs / (settings.windowMs / BUCKETS));
  forget(state, bucket);
  const newest = state.newest!;
  if (bucket > newest - BUCKETS) {
    const place = placeOf(bucket);
    add(state, 'transactions', place, 1);
    if (ACTIONS.indexOf(intended) >= BLOCKED_FROM) add(state, 'blocked', place, 1);
    if (intended !== 'approve') add(state, 'alerts', place, 1);
    if (degraded) add(state, 'degraded', place, 1);
  }
  return judge(state, timeMs, settings);
}

function judge(state: GovernorState, timeMs: number, settings: GovernorSettings): GovernorReport {
  const over = signalAbove(state, settings, 1);
  if (!state.active) {
    if (over === null) return { severest: null, change: null, cause: null };
    state.active = true;
    state.cause = over;
    state.calmSinceMs = null;
    return { severest: settings.fallback, change: 'stepped-in', cause: over };
  }
  const cause = state.cause;
  if (signalAbove(state, settings, settings.returnShare) !== null) state.calmSinceMs = null;
  else state.calmSinceMs ??= timeMs;
  if (state.calmSinceMs === null || timeMs - state.calmSinceMs < settings.calmMs) {
    return { severest: settings.fallback, change: null, cause };
  }
  state.active = false;
  state.cause = null;
  state.calmSinceMs = null;
  return { severest: null, change: 'returned', cause };
}

/** The first signal above so much of its limit; null where there is none. */
function signalAbove({ total }: GovernorState, settings: GovernorSettings, share: number): GovernorSignal | null {
  const { transactions, blocked, alerts, degraded } = total;
  const enough = transactions >= settings.minTransactions;
  if (enough && blocked > settings.maxBlockedShare * share * transactions) return 'blocked-share';
  if (alerts > settings.maxAlerts * share) return 'alerts';
  return enough && degraded > settings.maxDegradedShare * share * transactions ? 'degraded-share' : null;
}

/** Empties the buckets that time has left behind. */
function forget(state: GovernorState, bucket: number): void {
  const { newest } = state;
  if (newest !== null && bucket <= newest) return;
  state.newest = bucket;
  if (newest === null) return;
  for (let next = Math.max(newest + 1, bucket - BUCKETS + 1); next <= bucket; next++) {
    const place = placeOf(next);
    for (const count of COUNTS) add(state, count, place, -state[count][place]);
  }
}

function add(state: GovernorState, count: (typeof COUNTS)[number], place: number, more: number): void {
  state[count][place] += more;
  state.total[count] += more;
}

function placeOf(bucket: number): number {
  return ((bucket % BUCKETS) + BUCKETS) % BUCKETS;
}
