// What administrators set: channels, where notifications go, when people sleep, who is told when nobody answers.
//
// Secrets are named here and kept elsewhere (file, environment, vault): a settings file may be read and be versioned. A URL
// of Slack or Teams is a secret as a whole, because whoever has it may write there.
import Type, { type Static } from 'typebox';
import { Compile } from 'typebox/compile';
import { InputError } from '../lib/errors.ts';
import { LANGUAGES, NOTIFICATION_KINDS, SEVERITIES } from './notification.ts';

const options = { additionalProperties: false } as const;
const oneOf = <const Names extends string[]>(names: readonly [...Names]) => Type.Enum([...names]);

const Name = Type.String({ pattern: '^[a-z0-9][a-z0-9-]{0,62}$' });
const SecretName = Type.String({ pattern: '^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$' });
const TimeOfDay = Type.String({ pattern: '^([01][0-9]|2[0-3]):[0-5][0-9]$' });
const Url = Type.String({ pattern: '^https?://[^\\s@]{1,500}$' });
const Address = Type.String({ pattern: '^[^\\s@<>",;:]{1,64}@[A-Za-z0-9.-]{1,253}$' });
const DurationMs = (least: number, most: number) => Type.Integer({ minimum: least, maximum: most });

export const QuietHoursSchema = Type.Object(
  {
    /** Lima's time of day; over midnight where `from` is later than `to`. */
    from: TimeOfDay,
    to: TimeOfDay,
    /** Told all the same. */
    breaksThrough: Type.Array(oneOf(SEVERITIES), { maxItems: SEVERITIES.length }),
  },
  options,
);

const common = {
  language: oneOf(LANGUAGES),
  quietHours: Type.Union([QuietHoursSchema, Type.Null()]),
  /** At most so many messages in each stretch of so long; what is more is told together in a later one. */
  rate: Type.Object(
    { most: Type.Integer({ minimum: 1, maximum: 10_000 }), perMs: DurationMs(1000, 86_400_000) },
    options,
  ),
  /** Takes over what this channel could not deliver after all attempts; null: it stays, and can be sent again. */
  fallback: Type.Union([Name, Type.Null()]),
};

const WebhookChannel = Type.Object(
  {
    kind: Type.Literal('webhook'),
    ...common,
    url: Url,
    /** The newest first; two while they are being changed. */
    secrets: Type.Array(SecretName, { minItems: 1, maxItems: 2 }),
    timeoutMs: DurationMs(100, 30_000),
  },
  options,
);

const MailChannel = Type.Object(
  {
    kind: Type.Literal('mail'),
    ...common,
    host: Type.String({ pattern: '^[A-Za-z0-9.:-]{1,253}$' }),
    port: Type.Integer({ minimum: 1, maximum: 65_535 }),
    /** `tls`: from the first byte (465); `starttls`: demanded before anything is said (587). */
    security: oneOf(['tls', 'starttls', 'none-on-loopback']),
    user: Type.Union([Type.String({ minLength: 1, maxLength: 200 }), Type.Null()]),
    password: Type.Union([SecretName, Type.Null()]),
    from: Address,
    to: Type.Array(Address, { minItems: 1, maxItems: 50 }),
    timeoutMs: DurationMs(100, 60_000),
  },
  options,
);

const ChatChannel = Type.Object(
  {
    kind: oneOf(['slack', 'teams']),
    ...common,
    /** Name of the secret that the whole address is. */
    url: SecretName,
    timeoutMs: DurationMs(100, 30_000),
  },
  options,
);

const AlertmanagerChannel = Type.Object(
  {
    kind: Type.Literal('alertmanager'),
    ...common,
    /** Up to the API's path: `https://alertmanager:9093`. */
    url: Url,
    /** Name of a bearer token; null: none. */
    token: Type.Union([SecretName, Type.Null()]),
    /** An alert that nobody renews ends so long after it began. */
    resolveAfterMs: DurationMs(60_000, 7 * 86_400_000),
    timeoutMs: DurationMs(100, 30_000),
  },
  options,
);

export const ChannelSchema = Type.Union([WebhookChannel, MailChannel, ChatChannel, AlertmanagerChannel]);

const codes = Type.Array(Type.String({ minLength: 1, maxLength: 100 }), { minItems: 1, maxItems: 100 });

/** All that is said must be so; what is left out is not asked. */
export const MatchSchema = Type.Object(
  {
    kinds: Type.Optional(Type.Array(oneOf(NOTIFICATION_KINDS), { minItems: 1, maxItems: NOTIFICATION_KINDS.length })),
    severities: Type.Optional(Type.Array(oneOf(SEVERITIES), { minItems: 1, maxItems: SEVERITIES.length })),
    queues: Type.Optional(codes),
    typologies: Type.Optional(codes),
    codes: Type.Optional(codes),
    /** Lima's hours, `from` inclusive and `to` exclusive; over midnight where `from` is later. */
    hours: Type.Optional(Type.Object({ from: TimeOfDay, to: TimeOfDay }, options)),
  },
  options,
);

export const RouteSchema = Type.Object(
  {
    name: Name,
    match: MatchSchema,
    channels: Type.Array(Name, { minItems: 1, maxItems: 20 }),
    /** What belongs together: the first is told at once, the rest of a window as one summary. */
    groupBy: oneOf(['none', 'case', 'customer', 'typology']),
    groupWindowMs: DurationMs(1000, 86_400_000),
    ladder: Type.Union([Name, Type.Null()]),
    /** Later routes are looked at, too. */
    continues: Type.Boolean(),
  },
  options,
);

export const LadderSchema = Type.Object(
  {
    name: Name,
    levels: Type.Array(
      Type.Object(
        {
          /** After the notification, or after the level before, without an acknowledgement. */
          afterMs: DurationMs(1000, 7 * 86_400_000),
          channels: Type.Array(Name, { minItems: 1, maxItems: 20 }),
        },
        options,
      ),
      { minItems: 1, maxItems: 10 },
    ),
  },
  options,
);

export const RetrySchema = Type.Object(
  {
    attempts: Type.Integer({ minimum: 1, maximum: 100 }),
    firstMs: DurationMs(10, 3_600_000),
    mostMs: DurationMs(10, 86_400_000),
  },
  options,
);

export const NotificationSettingsSchema = Type.Object(
  {
    /** Where people open Centinela; links begin with it. null: messages have no links. */
    baseUrl: Type.Union([Url, Type.Null()]),
    /** Networks that webhooks may reach though they are not public, in CIDR. */
    allowedNetworks: Type.Array(Type.String({ pattern: '^[0-9A-Fa-f.:]{2,39}/[0-9]{1,3}$' }), { maxItems: 100 }),
    channels: Type.Record(Name, ChannelSchema),
    /** In order; the last one takes everything. Empty: nothing is told. */
    routes: Type.Array(RouteSchema, { maxItems: 200 }),
    ladders: Type.Array(LadderSchema, { maxItems: 50 }),
    retry: RetrySchema,
    /** What the bank's app sends: names of the secrets it signs with, two while they are changed. Without it nothing is taken. */
    inbound: Type.Optional(Type.Object({ secrets: Type.Array(SecretName, { minItems: 1, maxItems: 2 }) }, options)),
  },
  { $id: 'NotificationSettings', ...options },
);

export type QuietHours = Static<typeof QuietHoursSchema>;
export type ChannelSettings = Static<typeof ChannelSchema>;
export type Match = Static<typeof MatchSchema>;
export type Route = Static<typeof RouteSchema>;
export type Ladder = Static<typeof LadderSchema>;
export type RetrySettings = Static<typeof RetrySchema>;
export type NotificationSettings = Static<typeof NotificationSettingsSchema>;

/** Nothing is told to anybody. */
export const NO_NOTIFICATIONS: NotificationSettings = {
  ...{ baseUrl: null, allowedNetworks: [], channels: {}, routes: [], ladders: [] },
  retry: { attempts: 12, firstMs: 1000, mostMs: 3_600_000 },
};

const MOST_CHANNELS = 100;
const MOST_TOLD = 3;
const validator = Compile(NotificationSettingsSchema);

/** @throws InputError with what is wrong, field by field, or what does not fit together */
export function readNotificationSettings(value: unknown): NotificationSettings {
  if (!validator.Check(value)) {
    const told = [...validator.Errors(value)]
      .slice(0, MOST_TOLD)
      .map(({ instancePath, message }) => `${instancePath.slice(1).replaceAll('/', '.') || 'settings'} ${message}`);
    throw invalid(`The settings of notifications: ${told.join('; ')}`, 'See docs/notifications.md');
  }
  const settings = value as NotificationSettings;
  for (const problem of problemsOf(settings)) throw invalid(problem.what, problem.hint);
  return settings;
}

interface FoundProblem {
  readonly what: string;
  readonly hint: string;
}

function* problemsOf({ channels, routes, ladders }: NotificationSettings): Generator<FoundProblem> {
  const names = Object.keys(channels);
  const known = `Channels are: ${names.slice(0, 20).join(', ') || 'none'}`;
  const unknown = (used: readonly string[]) => used.find((name) => !Object.hasOwn(channels, name));
  if (names.length > MOST_CHANNELS) {
    yield { what: `There are ${names.length} channels`, hint: `Keep to ${MOST_CHANNELS}` };
  }
  for (const [name, channel] of Object.entries(channels)) {
    const { quietHours, fallback } = channel;
    if (quietHours !== null && quietHours.from === quietHours.to) {
      yield { what: `Channel ${name}: its quiet hours begin when they end`, hint: 'Set null for none' };
    }
    if (fallback !== null && unknown([fallback]) !== undefined) {
      yield { what: `Channel ${name} falls back to ${fallback}, which is no channel`, hint: known };
    }
    if (hasCircle(name, channels)) {
      yield { what: `Channel ${name} falls back to itself in the end`, hint: 'Let one of them have none' };
    }
    if (channel.kind === 'mail' && (channel.user === null) !== (channel.password === null)) {
      yield { what: `Channel ${name} has a user or a password alone`, hint: 'Give both or neither' };
    }
  }
  for (const { what, used } of [
    ...routes.map((route) => ({ what: `Route ${route.name}`, used: route.channels })),
    ...ladders.map((ladder) => ({
      what: `Ladder ${ladder.name}`,
      used: ladder.levels.flatMap((each) => each.channels),
    })),
  ]) {
    const missing = unknown(used);
    if (missing !== undefined) yield { what: `${what} leads to ${missing}, which is no channel`, hint: known };
  }
  for (const twice of [repeated(routes.map(({ name }) => name)), repeated(ladders.map(({ name }) => name))]) {
    if (twice !== null) yield { what: `The name ${twice} is given twice`, hint: 'Choose another' };
  }
  for (const { name, ladder, match } of routes) {
    if (ladder !== null && !ladders.some((each) => each.name === ladder)) {
      yield { what: `Route ${name} names the ladder ${ladder}, which there is not`, hint: 'Add it to ladders' };
    }
    if (match.hours !== undefined && match.hours.from === match.hours.to) {
      yield { what: `Route ${name}: its hours begin when they end`, hint: 'Leave hours out for all day' };
    }
  }
  const last = routes.at(-1);
  if (last !== undefined && Object.keys(last.match).length > 0) {
    yield {
      what: `Route ${last.name} is the last one and does not take everything: what no route takes would be lost`,
      hint: 'End with a route whose match is {}',
    };
  }
}

function hasCircle(name: string, channels: NotificationSettings['channels']): boolean {
  const seen = new Set<string>();
  for (let at: string | null = name; at !== null && Object.hasOwn(channels, at); at = channels[at].fallback) {
    if (seen.has(at)) return true;
    seen.add(at);
  }
  return false;
}

function repeated(names: readonly string[]): string | null {
  return names.find((name, index) => names.indexOf(name) !== index) ?? null;
}

function invalid(what: string, hint: string): InputError {
  return new InputError('NOTIFICATION_SETTINGS_INVALID', what, hint);
}
