// Settings and limits of the feature engine; each says what happens at it.

export const SECOND_MS = 1000;
export const MINUTE_MS = 60 * SECOND_MS;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export interface EngineLimits {
  /** Local time of the bank for hour, weekday and night; Lima is −300 all year. */
  readonly utcOffsetMinutes: number;
  /** Two-letter country; another one is cross-border. */
  readonly homeCountry: string;
  /** Units of the reference currency for one unit of another: `{ USD: 3.4 }`. A currency not named counts one for one. */
  readonly exchangeRates: Readonly<Record<string, number>>;
  /** An event older than the newest of the stream by more than this is too late: scored, not folded. */
  readonly latenessMs: number;
  /** An event further ahead of its own ingest time than this is too early: scored, not folded. */
  readonly aheadOfIngestMs: number;
  /** An event that jumps further than this beyond the newest of the stream is too early, unless the stream follows it. */
  readonly jumpMs: number;
  /** So many events in a row beyond `jumpMs` are believed: the stream has moved on. */
  readonly jumpConfirmations: number;
  /**
   * How far events of an engine's stream may lie apart in time without being late: what is idle is kept so much longer.
   * Where several partitions flow together, each has a time of its own; 0 where one order rules all.
   */
  readonly skewMs: number;
  /** An entity without an event for this long is forgotten. */
  readonly idleMs: number;
  /** Power of two ≤ 2^20. A fuller ring drops its oldest event, counted as truncated. */
  readonly maxEventsPerEntity: number;
  /** At the limit the longest idle of the next 64 entities is forgotten, counted as evictedEarly. */
  readonly maxEntitiesPerKind: number;
}

export const DEFAULT_LIMITS: EngineLimits = {
  utcOffsetMinutes: -300,
  homeCountry: 'PE',
  exchangeRates: {},
  latenessMs: DAY_MS,
  aheadOfIngestMs: DAY_MS,
  jumpMs: 60 * DAY_MS,
  jumpConfirmations: 16,
  skewMs: 0,
  idleMs: 90 * DAY_MS,
  maxEventsPerEntity: 1 << 20,
  maxEntitiesPerKind: 1 << 24,
};

/** @throws RangeError naming the setting, its value and the values it may have. */
export function checkLimits(limits: EngineLimits): void {
  const check = (name: keyof EngineLimits, ok: boolean, allowed: string) => {
    if (!ok) throw new RangeError(`feature engine setting ${name} is ${String(limits[name])}: it must be ${allowed}`);
  };
  const events = limits.maxEventsPerEntity;
  check('utcOffsetMinutes', Number.isInteger(limits.utcOffsetMinutes), 'a whole number of minutes');
  check('latenessMs', limits.latenessMs >= 0, 'zero or more');
  check('aheadOfIngestMs', limits.aheadOfIngestMs >= 0, 'zero or more');
  check('jumpMs', limits.jumpMs > 0, 'more than zero');
  check('skewMs', limits.skewMs >= 0, 'zero or more');
  check('jumpConfirmations', limits.jumpConfirmations >= 1, 'one or more');
  check(
    'maxEventsPerEntity',
    events >= 2 && events <= 1 << 20 && (events & (events - 1)) === 0,
    'a power of two, 2 to 2^20',
  );
  check('maxEntitiesPerKind', limits.maxEntitiesPerKind >= 64 && limits.maxEntitiesPerKind <= 1 << 27, '64 to 2^27');
}
