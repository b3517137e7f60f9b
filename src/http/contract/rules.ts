// Rules: those that decide, drafts that are checked, and changes that take two people.
import Type from 'typebox';
import { MAX_OVERRIDE_DAYS, MAX_SNOOZE_DAYS } from '../../registry/rule-book.ts';
import { OVERRIDE_FIELDS } from '../../registry/rule-book-state.ts';
import { ACTIONS, MODES, SEVERITIES } from '../../rules/rule.ts';
import { nullable, oneOf, pageOf, pageQuery, TimeMs } from './common.ts';
import { endpoint } from './endpoint.ts';

/** A rule has some 600 characters. One of the worst kind at this limit takes some hundred milliseconds to check, in a thread. */
const MOST_DRAFT = 12_000;
const DRAFT_BYTES = 128 * 1024;
const CHECKS_PER_MINUTE = 60;

export const BookReason = Type.String({ minLength: 1, maxLength: 1000, description: 'why; kept for ever' });

const STATES = ['proposed', 'rejected', 'live', 'shadow', 'off', 'superseded', 'retired'] as const;

const BilingualSchema = Type.Object({ es: Type.String(), en: Type.String() });

const VersionSchema = Type.Object({
  rule: Type.String({ description: '`id@version`, as decisions call it' }),
  id: Type.String(),
  version: Type.Integer(),
  state: oneOf(STATES),
  origin: oneOf(['book', 'files'], 'files: those that the service was started with'),
  mode: oneOf(MODES),
  name: BilingualSchema,
  owner: Type.String(),
  severity: oneOf(SEVERITIES),
  reason: Type.String(),
  action: oneOf(ACTIONS),
  typologies: Type.Array(Type.String()),
  fromMs: nullable(TimeMs),
  untilMs: nullable(TimeMs),
  notes: nullable(Type.String()),
  when: Type.String({ description: 'the condition' }),
  sha256: Type.String({ description: 'of its text: what is approved' }),
  proposedBy: nullable(Type.String()),
  proposedMs: nullable(TimeMs),
  approvedBy: nullable(Type.String()),
  approvedMs: nullable(TimeMs),
  snoozedUntilMs: nullable(TimeMs),
  touched: Type.Integer({ description: "number of the history's entry that touched the rule last: its ETag" }),
});

const OverrideSchema = Type.Object({
  field: oneOf(OVERRIDE_FIELDS),
  value: Type.String(),
  untilMs: TimeMs,
  reason: Type.String(),
});

const PlacedProblemSchema = Type.Object({
  file: Type.String({ description: '`rule` or `tests`' }),
  code: Type.String(),
  line: Type.Integer(),
  column: Type.Integer(),
  path: Type.String({ description: 'JSON Pointer (RFC 6901)' }),
  message: Type.String(),
  hint: Type.String(),
});

/** With the tree of the condition (docs/rules.md). */
const ConditionSchema = Type.Object(
  {
    source: Type.String(),
    printed: Type.String(),
    names: Type.Array(Type.String()),
    lists: Type.Array(Type.String()),
    rules: Type.Array(Type.String()),
    tree: Type.Unknown(),
  },
  { additionalProperties: true },
);

export const BookEntrySchema = {
  entry: Type.Integer(),
  atMs: TimeMs,
  by: Type.String({ description: 'id of the person or key; a name where it was done on the command line' }),
  byName: Type.String(),
  why: Type.String(),
  previous: Type.String({ description: 'hash of the entry before' }),
  hash: Type.String({ description: 'SHA-256 over the entry, which the audit names' }),
};

const RuleEntrySchema = Type.Object({
  ...BookEntrySchema,
  kind: Type.String(),
  ruleId: Type.String(),
  version: nullable(Type.Integer()),
  untilMs: nullable(TimeMs),
  entity: nullable(Type.Object({ field: Type.String(), value: Type.String() })),
});

export const ChainSchema = Type.Object({
  isWhole: Type.Boolean({ description: 'every entry follows the one before, and the audit knows no other' }),
  problem: nullable(Type.String()),
  entries: Type.Integer(),
  head: nullable(Type.String({ description: 'hash of the last entry' })),
  audited: Type.Integer({ description: 'entries that are in the audit' }),
});

const Done = Type.Object({
  rule: Type.String(),
  entry: Type.Integer({ description: 'of the history' }),
  hash: Type.String(),
});

const RuleId = Type.String({ pattern: '^[a-z][a-z0-9-]{0,99}$' });
const RuleParams = Type.Object({ ruleId: RuleId });
const VersionParams = Type.Object({ ruleId: RuleId, version: Type.String({ pattern: '^[1-9][0-9]{0,8}$' }) });
const Reasoned = Type.Object({ reason: BookReason }, { additionalProperties: false });
const Entity = {
  field: oneOf(OVERRIDE_FIELDS),
  value: Type.String({
    minLength: 1,
    maxLength: 200,
    description: "the entity's id; a personal number is kept as its token",
  }),
};

const read = { tag: 'rules', access: 'rules:read', does: 'read' } as const;
const changed = { method: 'POST', tag: 'rules', does: 'change', versioned: true, answer: Done } as const;

export const RULE_ENDPOINTS = {
  listRules: endpoint({
    ...{ ...read, method: 'GET', path: '/v1/rules' },
    summary: { es: 'Reglas en vigor, propuestas o pasadas', en: 'Rules in force, proposed, or past' },
    query: Type.Object({
      ...pageQuery,
      state: Type.Optional(oneOf(['in-force', 'all', ...STATES], 'default in-force: live, shadow and off')),
    }),
    answer: Type.Object({
      ...pageOf(VersionSchema).properties,
      version: Type.String({ description: 'of the set in force, as decisions name it (`versions.rules`)' }),
    }),
  }),
  getRule: endpoint({
    ...{ ...read, method: 'GET', path: '/v1/rules/:ruleId', versioned: true },
    summary: { es: 'Una regla con sus versiones', en: 'A rule with its versions' },
    params: RuleParams,
    answer: Type.Object({
      id: Type.String(),
      inForce: nullable(VersionSchema),
      versions: Type.Array(VersionSchema),
      overrides: Type.Array(OverrideSchema),
    }),
  }),
  getRuleVersion: endpoint({
    ...{ ...read, method: 'GET', path: '/v1/rules/:ruleId/versions/:version', versioned: true },
    summary: {
      es: 'El texto de una versión y qué diría hoy la revisión',
      en: "A version's text, and what is wrong with it today",
    },
    params: VersionParams,
    answer: Type.Object({
      rule: VersionSchema,
      text: Type.String({ description: 'a rule file, JSON' }),
      condition: nullable(ConditionSchema),
      problems: Type.Array(PlacedProblemSchema),
    }),
  }),
  ruleHistory: endpoint({
    ...{ ...read, method: 'GET', path: '/v1/rule-history' },
    summary: {
      es: 'Quién cambió qué regla, cuándo y por qué, lo último primero',
      en: 'Who changed which rule, when and why, newest first',
    },
    query: Type.Object({ ...pageQuery, ruleId: Type.Optional(RuleId) }),
    answer: pageOf(RuleEntrySchema),
  }),
  verifyRuleHistory: endpoint({
    ...{
      method: 'POST',
      path: '/v1/rule-history::verify',
      tag: 'rules',
      access: 'rules:read',
      does: 'own',
      mostPerMinute: 12,
    },
    summary: { es: 'Comprobar la cadena del historial', en: "Verify the history's chain" },
    answer: ChainSchema,
  }),
  ruleNames: endpoint({
    ...{ ...read, method: 'GET', path: '/v1/rule-names', mostPerMinute: 120 },
    summary: { es: 'Todo lo que una condición puede nombrar', en: 'All that a condition may speak of' },
    answer: Type.Object({}, { additionalProperties: true, description: 'as `rules names --json` (docs/rules.md)' }),
  }),
  checkRule: endpoint({
    ...{ method: 'POST', path: '/v1/rules::check', tag: 'rules', access: 'rules:propose', does: 'own' },
    ...{ mostPerMinute: CHECKS_PER_MINUTE, mostBodyBytes: DRAFT_BYTES },
    summary: { es: 'Revisar un borrador: lectura, tipos y pruebas', en: 'Check a draft: reading, types and tests' },
    body: Type.Object(
      {
        text: Type.String({ maxLength: MOST_DRAFT, description: 'a rule file, YAML or JSON' }),
        tests: Type.Optional(Type.String({ maxLength: MOST_DRAFT, description: 'a file of tests' })),
      },
      { additionalProperties: false },
    ),
    answer: Type.Object({
      rules: Type.Array(Type.String()),
      tests: Type.Integer(),
      untested: Type.Array(Type.String()),
      problems: Type.Array(PlacedProblemSchema),
      conditions: Type.Array(ConditionSchema),
      notComputed: Type.Array(Type.String({ description: 'a rule over these never fires here' })),
    }),
  }),
  proposeRule: endpoint({
    ...{ method: 'POST', path: '/v1/rules', tag: 'rules', access: 'rules:propose', does: 'change' },
    ...{ mostPerMinute: CHECKS_PER_MINUTE, mostBodyBytes: DRAFT_BYTES },
    summary: { es: 'Proponer una versión de una regla', en: 'Propose a version of a rule' },
    body: Type.Object(
      {
        text: Type.String({ maxLength: MOST_DRAFT, description: 'a file with one rule, YAML or JSON' }),
        tests: Type.Optional(Type.String({ maxLength: MOST_DRAFT })),
        reason: BookReason,
      },
      { additionalProperties: false },
    ),
    answer: Type.Object({ ...Done.properties, sha256: Type.String() }),
    status: 201,
  }),
  approveRule: endpoint({
    ...{ ...changed, path: '/v1/rules/:ruleId/versions/:version/approval', access: 'rules:approve' },
    summary: {
      es: 'Aprobar como segunda persona: decide desde ahora',
      en: 'Approve as the second person: it decides from now on',
    },
    params: VersionParams,
    body: Type.Object(
      {
        sha256: Type.String({ pattern: '^[0-9a-f]{64}$', description: 'of the text that was read' }),
        reason: Type.Optional(Type.String({ maxLength: 1000 })),
      },
      { additionalProperties: false },
    ),
  }),
  rejectRule: endpoint({
    ...{ ...changed, path: '/v1/rules/:ruleId/versions/:version/rejection', access: 'rules:approve' },
    summary: { es: 'Rechazar una propuesta', en: 'Reject a proposal' },
    params: VersionParams,
    body: Reasoned,
  }),
  withdrawRule: endpoint({
    ...{ ...changed, path: '/v1/rules/:ruleId/versions/:version/withdrawal', access: 'rules:propose' },
    summary: { es: 'Retirar la propia propuesta', en: "Take back one's own proposal" },
    params: VersionParams,
    body: Reasoned,
  }),
  retireRule: endpoint({
    ...{ ...changed, path: '/v1/rules/:ruleId/retirement', access: 'rules:approve' },
    summary: { es: 'Sacar una regla de vigor', en: 'Take a rule out of force' },
    params: RuleParams,
    body: Reasoned,
  }),
  rollBackRule: endpoint({
    ...{ ...changed, path: '/v1/rules/:ruleId/rollback', access: 'rules:approve' },
    summary: { es: 'Volver a una versión ya aprobada', en: 'Go back to a version that was approved' },
    params: RuleParams,
    body: Type.Object(
      {
        version: Type.Optional(nullable(Type.Integer({ minimum: 1, maximum: 999_999_999 }))),
        reason: BookReason,
      },
      { additionalProperties: false },
    ),
  }),
  snoozeRule: endpoint({
    ...{ ...changed, path: '/v1/rules/:ruleId/snooze', access: 'rules:approve' },
    summary: {
      es: `Dejar la regla sin voz por un tiempo (máximo ${MAX_SNOOZE_DAYS} días), o devolvérsela`,
      en: `Leave the rule without a say for a while (${MAX_SNOOZE_DAYS} days at most), or give it back`,
    },
    params: RuleParams,
    body: Type.Object(
      { untilMs: nullable(TimeMs), reason: BookReason },
      { additionalProperties: false, description: '`untilMs` null ends it' },
    ),
  }),
  overrideRule: endpoint({
    ...{ ...changed, path: '/v1/rules/:ruleId/overrides', access: 'rules:approve' },
    summary: {
      es: `La regla no cuenta para una entidad (máximo ${MAX_OVERRIDE_DAYS} días), o vuelve a contar`,
      en: `The rule does not count for one entity (${MAX_OVERRIDE_DAYS} days at most), or counts again`,
    },
    params: RuleParams,
    body: Type.Object(
      { ...Entity, untilMs: nullable(TimeMs), reason: BookReason },
      { additionalProperties: false, description: '`untilMs` null ends it' },
    ),
  }),
};
