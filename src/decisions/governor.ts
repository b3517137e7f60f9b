// The safety governor: when rules or a model go wrong, they do so at once for thousands of customers. It watches, over
// sliding windows of event time, how many transactions are blocked, how many alerts there are and how many decisions were
// late or made without all they need, and while one of them is above its limit nothing severer than `fallback` is done.
//
// It watches what was intended, not what was done under it: otherwise the fallback would hide its own cause. It returns
// by itself, once all is below `returnShare` of the limits for `calmMs` (a hysteresis, as a thermostat has, so that it does
// not flutter). Rules and a model that fall silent do no harm that a fallback could stop, so over a longer window it only
// tells of it. Pure: the same observations give the same decisions; the state is plain data and can be stored as JSON.
import { ACTIONS, type RuleAction } from '../rules/rule.ts';
import { type GovernorAlert, type GovernorSignal, governorAlert } from './governor-alert.ts';
import { countEvent, createSlidingCounts, type SlidingCounts } from './sliding-counts.ts';

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
  /** Fewer of the transactions with an alert than this share is silence; null: not watched. */
  readonly minAlertsShare: number | null;
  /** Silence is judged over so long, once so much was seen. */
  readonly silenceWindowMs: number;
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
  minAlertsShare: null,
  silenceWindowMs: 86_400_000,
};

export interface GovernorObservation {
  /** Of an event that the feature engine took: one far ahead of its time would empty the window. */
  readonly timeMs: number;
  /** Without the governor and without the control group. */
  readonly intended: RuleAction;
  /** Decided without all that it needs: a score or a feature was not there in time. */
  readonly degraded: boolean;
  /** The answer missed its deadline. It counts as degraded, once. */
  readonly late: boolean;
}

export interface GovernorState {
  readonly recent: SlidingCounts;
  /** Over the window of silence; stays empty where silence is not watched. */
  readonly long: SlidingCounts;
  /** Of the first event; null before it. */
  firstMs: number | null;
  active: boolean;
  /** Which limit was crossed when it stepped in; null while it is at rest. */
  cause: GovernorSignal | null;
  steppedInMs: number | null;
  /** Since when all is well again; null while it is not. */
  calmSinceMs: number | null;
  /** Since when hardly anything raises an alert; null while it does. */
  silentSinceMs: number | null;
}

export interface GovernorReport {
  /** For `VerdictPolicy.severest`. */
  readonly severest: RuleAction | null;
  /** What changed with this observation; nearly always nothing. */
  readonly alerts: readonly GovernorAlert[];
}

const BLOCKED_FROM = ACTIONS.indexOf('hold');
const NOTHING_NEW: readonly GovernorAlert[] = [];

export function createGovernorState(): GovernorState {
  return {
    ...{ recent: createSlidingCounts(), long: createSlidingCounts(), firstMs: null },
    ...{ active: false, cause: null, steppedInMs: null, calmSinceMs: null, silentSinceMs: null },
  };
}

/** Moves the state on past one decision, and says what the next ones may do. Events older than the window are left out. */
export function govern(
  state: GovernorState,
  { timeMs, intended, degraded, late }: GovernorObservation,
  settings: GovernorSettings,
): GovernorReport {
  const blocked = ACTIONS.indexOf(intended) >= BLOCKED_FROM;
  const is = { blocked, alerts: intended !== 'approve', degraded: degraded || late, late };
  state.firstMs = Math.min(state.firstMs ?? timeMs, timeMs);
  countEvent(state.recent, timeMs, settings.windowMs, is);
  const changed = judge(state, timeMs, settings);
  const heard = settings.minAlertsShare === null ? null : listen(state, timeMs, is, settings, settings.minAlertsShare);
  const alerts = changed === null && heard === null ? NOTHING_NEW : [changed, heard].filter((each) => each !== null);
  return { severest: state.active ? settings.fallback : null, alerts };
}

/** Steps in, or returns. */
function judge(state: GovernorState, timeMs: number, settings: GovernorSettings): GovernorAlert | null {
  if (!state.active) {
    const over = signalAbove(state.recent, settings, 1);
    if (over === null) return null;
    state.active = true;
    state.cause = over;
    state.steppedInMs = timeMs;
    state.calmSinceMs = null;
    return alertOf('stepped-in', over, state, timeMs, settings, null);
  }
  if (signalAbove(state.recent, settings, settings.returnShare) !== null) state.calmSinceMs = null;
  else state.calmSinceMs ??= timeMs;
  if (state.calmSinceMs === null || timeMs - state.calmSinceMs < settings.calmMs) return null;
  const [cause, lastedMs] = [state.cause!, timeMs - state.steppedInMs!];
  state.active = false;
  state.cause = null;
  state.steppedInMs = null;
  state.calmSinceMs = null;
  return alertOf('returned', cause, state, timeMs, settings, lastedMs);
}

/** The first signal above so much of its limit; null where there is none. */
function signalAbove({ total }: SlidingCounts, settings: GovernorSettings, share: number): GovernorSignal | null {
  const { transactions, blocked, alerts, degraded } = total;
  const enough = transactions >= settings.minTransactions;
  if (enough && blocked > settings.maxBlockedShare * share * transactions) return 'blocked-share';
  if (alerts > settings.maxAlerts * share) return 'alerts';
  return enough && degraded > settings.maxDegradedShare * share * transactions ? 'degraded-share' : null;
}

function alertOf(
  kind: 'stepped-in' | 'returned',
  cause: GovernorSignal,
  { recent: { total } }: GovernorState,
  timeMs: number,
  settings: GovernorSettings,
  lastedMs: number | null,
): GovernorAlert {
  const { transactions, blocked, alerts, degraded } = total;
  const [measured, limit] =
    cause === 'alerts'
      ? [alerts, settings.maxAlerts]
      : cause === 'blocked-share'
        ? [shareOf(blocked, transactions), settings.maxBlockedShare]
        : [shareOf(degraded, transactions), settings.maxDegradedShare];
  return governorAlert({
    ...{ kind, timeMs, cause, measured, limit, windowMs: settings.windowMs, figures: { ...total }, lastedMs },
    severest: kind === 'stepped-in' ? settings.fallback : null,
  });
}

/** Whether there are as many alerts as there should be, or again as many with something to spare. */
function listen(
  state: GovernorState,
  timeMs: number,
  is: Parameters<typeof countEvent>[3],
  settings: GovernorSettings,
  minShare: number,
): GovernorAlert | null {
  const { silenceWindowMs: windowMs, minTransactions, returnShare } = settings;
  countEvent(state.long, timeMs, windowMs, is);
  const { transactions, alerts } = state.long.total;
  if (transactions < minTransactions || timeMs - state.firstMs! < windowMs) return null;
  const measured = shareOf(alerts, transactions);
  const since = state.silentSinceMs;
  const isSilent = since === null ? measured < minShare : measured < Math.min(1, minShare / returnShare);
  if (isSilent === (since !== null)) return null;
  state.silentSinceMs = isSilent ? timeMs : null;
  return governorAlert({
    ...{ kind: isSilent ? 'fell-silent' : 'speaks-again', timeMs, cause: 'silence', measured, limit: minShare },
    ...{ windowMs, figures: { ...state.long.total }, severest: state.active ? settings.fallback : null },
    lastedMs: since === null ? null : timeMs - since,
  });
}

function shareOf(part: number, whole: number): number {
  return whole === 0 ? 0 : part / whole;
}
