// What a bank sets while the service runs: about alerts and cases, and for how long records are kept.
import Type from 'typebox';
import { SEVERITIES } from '../../alerts/severity.ts';
import { FAMILIES } from '../../alerts/typology.ts';
import { ROLES } from '../../identity/permissions.ts';
import { MOST_MONTHS } from '../../privacy/retention.ts';
import { RETENTION_CLASS_IDS } from '../../privacy/retention-data.ts';
import { Reason } from './alerts.ts';
import { nullable, oneOf, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 86_400_000;
const MOST_MINOR = 1_000_000_000_00;
const MOST_QUEUES = 20;

const whole = (minimum: number, maximum: number, description: string) =>
  Type.Integer({ minimum, maximum, description });
const strict = { additionalProperties: false };

const LevelSchema = Type.Object(
  {
    firstLookMs: whole(MINUTE_MS, 30 * DAY_MS, 'until an analyst has opened it'),
    decisionMs: whole(MINUTE_MS, 90 * DAY_MS, 'until it is decided'),
    hours: oneOf(['always', 'business'], "the whole day, or the bank's hours"),
  },
  strict,
);

const queueSchema = <Role extends Type.TSchema>(role: Role) =>
  Type.Object(
    {
      id: Type.String({ pattern: '^[a-z][a-z0-9-]{0,38}[a-z0-9]$' }),
      es: Type.String({ minLength: 1, maxLength: 60 }),
      en: Type.String({ minLength: 1, maxLength: 60 }),
      roles: Type.Array(role, { minItems: 1, maxItems: ROLES.length }),
      families: Type.Optional(Type.Array(oneOf(FAMILIES), { minItems: 1, maxItems: FAMILIES.length })),
      typologies: Type.Optional(Type.Array(Type.String({ minLength: 3, maxLength: 5 }), { minItems: 1, maxItems: 40 })),
      leastSeverity: Type.Optional(oneOf(SEVERITIES)),
      leastSolesMinor: Type.Optional(whole(0, MOST_MINOR, 'céntimos of soles')),
    },
    strict,
  );

const settingsSchema = <Role extends Type.TSchema>(role: Role) =>
  Type.Object(
    {
      grouping: Type.Object(
        {
          cooldownMs: whole(0, 7 * DAY_MS, 'an alert so soon after the last of its customer and typology joins it'),
          mostCooldownMs: whole(MINUTE_MS, 30 * DAY_MS, 'but none so long after the first'),
          mostJoined: whole(1, 100_000, 'transactions of one alert'),
          windowMs: whole(3_600_000, 90 * DAY_MS, 'an alert belongs to an open case whose last is no older'),
          mostAlertsOfCase: whole(1, 2_000, 'the next one opens another case'),
          leastCustomersOfDevice: whole(2, 1_000, 'of so many customers that share a device one case is made'),
          leastCustomersOfPayee: whole(2, 1_000, 'and a payee'),
          leastCustomersOfIp: whole(2, 1_000, 'and an address'),
          mostCustomersOfLink: whole(2, 10_000, 'what more share links nothing'),
        },
        strict,
      ),
      severity: Type.Object(
        {
          highRisk: Type.Number({ minimum: 0, maximum: 1, description: 'one point' }),
          veryHighRisk: Type.Number({ minimum: 0, maximum: 1, description: 'two points' }),
          largeAmountMinor: whole(0, MOST_MINOR, 'one point; céntimos of soles'),
          veryLargeAmountMinor: whole(0, MOST_MINOR, 'two points; céntimos of soles'),
        },
        strict,
      ),
      levels: Type.Object(
        {
          bySeverity: Type.Object(
            { low: LevelSchema, medium: LevelSchema, high: LevelSchema, critical: LevelSchema },
            strict,
          ),
          opensMinute: whole(0, 1_439, 'of the day in Lima'),
          closesMinute: whole(1, 1_440, 'of the day in Lima'),
          nearShare: Type.Number({ minimum: 0, maximum: 0.9, description: 'of a clock that is near its end' }),
        },
        strict,
      ),
      queues: Type.Array(queueSchema(role), {
        ...{ minItems: 1, maxItems: MOST_QUEUES },
        description: 'the first whose conditions an alert meets takes it; the last takes all',
      }),
      fourEyesGenuineAboveMinor: whole(0, MOST_MINOR, 'a case above it is closed as genuine by two; céntimos of soles'),
    },
    strict,
  );

const CHANGED = {
  version: Type.Integer({ description: '0: as the program brings them' }),
  changedMs: nullable(TimeMs),
  changedBy: nullable(Type.String()),
};

const KeptSchema = Type.Object({
  settings: settingsSchema(Type.String()),
  ...CHANGED,
});

const RetentionSchema = Type.Object({
  classes: Type.Array(
    Type.Object({
      id: oneOf(RETENTION_CLASS_IDS),
      es: Type.String(),
      en: Type.String(),
      months: whole(1, MOST_MONTHS, 'in force; calendar months in Lima'),
      usualMonths: whole(1, MOST_MONTHS, 'where the bank says nothing'),
      leastMonths: whole(1, MOST_MONTHS, 'no fewer can be set'),
      from: oneOf(['created', 'closed', 'relation-ended'], 'when the time begins to run'),
      isHeld: Type.Boolean({ description: 'whether a legal hold keeps it longer' }),
      basis: Type.String({ description: 'why so long' }),
    }),
  ),
  ...CHANGED,
});

export const SETTINGS_ENDPOINTS = {
  getAlertSettings: endpoint({
    ...{ method: 'GET', path: '/v1/settings/alerts', tag: 'settings', access: 'settings:read' },
    ...{ does: 'read', versioned: true },
    summary: {
      es: 'Agrupación, severidad, plazos y bandejas en vigor',
      en: 'Grouping, severity, terms and queues in force',
    },
    answer: KeptSchema,
  }),
  changeAlertSettings: endpoint({
    ...{ method: 'PUT', path: '/v1/settings/alerts', tag: 'settings', access: 'settings:manage' },
    ...{ does: 'change', versioned: true },
    summary: {
      es: 'Cambiarlos todos; valen para las alertas que llegan desde entonces, sin reiniciar',
      en: 'Change them as a whole; they hold for alerts that come from then on, without a restart',
    },
    body: Type.Object({ settings: settingsSchema(oneOf(ROLES)), reason: Reason }, strict),
    answer: KeptSchema,
  }),
  getRetentionSettings: endpoint({
    ...{ method: 'GET', path: '/v1/settings/retention', tag: 'settings', access: 'settings:read' },
    ...{ does: 'read', versioned: true },
    summary: {
      es: 'Cuántos meses se conserva cada clase de registro, y por qué',
      en: 'For how many months each class of records is kept, and why',
    },
    answer: RetentionSchema,
  }),
  changeRetentionSettings: endpoint({
    ...{ method: 'PATCH', path: '/v1/settings/retention', tag: 'settings', access: 'legal-holds:manage' },
    ...{ does: 'change', versioned: true },
    summary: {
      es: 'Cambiar los meses de las clases nombradas; valen desde la próxima eliminación diaria',
      en: 'Change the months of the classes that are named; they hold from the next daily round of deletion',
    },
    body: Type.Object(
      {
        months: Type.Partial(
          Type.Object(
            Object.fromEntries(RETENTION_CLASS_IDS.map((id) => [id, whole(1, MOST_MONTHS, 'months')])),
            strict,
          ),
          strict,
        ),
        reason: Reason,
      },
      strict,
    ),
    answer: RetentionSchema,
  }),
};
