// Rules: read, checked, proposed, approved by another person, silenced for a while.

import type { RuleInput } from '../../decisions/rule-names.ts';
import type { RuleOverride } from '../../decisions/verdict.ts';
import type { RuleDesk, RuleEntry, ShownVersion } from '../../jobs/rules/rule-desk.ts';
import { ruleGrammar, ruleWords } from '../../jobs/rules/rule-language.ts';
import type { Scrubber } from '../../privacy/scrubber.ts';
import type { RuleEvent, VersionState } from '../../registry/rule-book-state.ts';
import type { RuleVocabulary } from '../../rules/names.ts';
import { ruleVersion } from '../../rules/rule.ts';
import type { Answer, Asked, HandlerOf, Handlers } from '../asked.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import type { ENDPOINTS, EndpointSpec } from '../contract.ts';
import { readCursor, writeCursor } from '../cursor.ts';
import { notFound } from '../problem.ts';
import { type ChainReport, chainHandler } from './book-chain.ts';
import { type BookServices, bookActOf, bookChange, newestFirst, toldOf } from './book-changes.ts';

export interface RuleServices extends BookServices<RuleEvent> {
  readonly desk: RuleDesk;
  vocabulary(): Promise<RuleVocabulary<RuleInput>>;
  /** Of the set in force, as decisions name it. */
  versionInForce(nowMs: number): Promise<string>;
  verify(): Promise<ChainReport>;
  /** Of what people write: it is kept for ever, and goes onto the log. */
  readonly scrubber: Pick<Scrubber, 'scrub'>;
  /** An id as it may be kept: a token where it is somebody's number. */
  entityId(field: RuleOverride['field'], id: string): string;
}

type RuleHandlers = Pick<
  Handlers,
  | ('listRules' | 'getRule' | 'getRuleVersion' | 'ruleHistory' | 'verifyRuleHistory' | 'ruleNames' | 'checkRule')
  | ('proposeRule' | 'approveRule' | 'rejectRule' | 'withdrawRule' | 'retireRule' | 'rollBackRule' | 'snoozeRule')
  | 'overrideRule'
>;
type ChangeName = Exclude<
  keyof RuleHandlers,
  `${'list' | 'get' | 'check' | 'verify'}${string}` | 'ruleHistory' | 'ruleNames'
>;

const IN_FORCE: ReadonlySet<VersionState> = new Set(['live', 'shadow', 'off']);

export function ruleHandlers(services: RuleServices): RuleHandlers {
  const { desk, vocabulary, versionInForce, verify } = services;
  return {
    async listRules({ query, nowMs }) {
      const { state = 'in-force', limit = DEFAULT_PAGE, cursor } = query;
      const states = state === 'all' ? null : state === 'in-force' ? IN_FORCE : new Set<VersionState>([state]);
      const after = readCursor(cursor);
      const all = await desk.versions(nowMs, states);
      const rest = after === null ? all : all.filter(({ id, version }) => isAfter({ id, version }, after));
      const rows = rest.slice(0, limit);
      const last = rows.at(-1);
      const next = rest.length > limit && last !== undefined ? writeCursor({ ms: last.version, id: last.id }) : null;
      return { body: { rows: rows.map(versionOf), next, version: await versionInForce(nowMs) } };
    },
    async getRule({ params, nowMs }) {
      const { ruleId: id } = params;
      const versions = await desk.versions(nowMs, null, id);
      if (versions.length === 0) throw notFound(`rule ${id}`);
      const inForce = versions.find(({ state }) => IN_FORCE.has(state));
      const overrides = (await desk.overrides(nowMs, id)).map((each) => overrideTold(each, services));
      const body = {
        id,
        inForce: inForce === undefined ? null : versionOf(inForce),
        versions: versions.map(versionOf),
      };
      return { body: { ...body, overrides }, version: versions[0].touched };
    },
    async getRuleVersion({ params, nowMs }) {
      const shown = await findVersion(desk, params, nowMs);
      const { text, condition, problems } = await desk.read(shown);
      return { body: { rule: versionOf(shown), text, condition, problems }, version: shown.touched };
    },
    async ruleHistory({ query }) {
      const { limit = DEFAULT_PAGE, cursor, ruleId } = query;
      const entries = (await desk.history()).filter(({ event }) => ruleId === undefined || event.id === ruleId);
      const { rows, next } = newestFirst(entries, readCursor(cursor)?.ms ?? null, limit);
      return {
        body: {
          rows: rows.map((entry) => entryTold(entry, services)),
          next: next === null ? null : writeCursor({ ms: next, id: 'rules' }),
        },
      };
    },
    verifyRuleHistory: chainHandler(verify),
    async ruleNames() {
      return { body: { ...ruleWords(await vocabulary()), ...ruleGrammar() } };
    },
    async checkRule({ body }) {
      return { body: await desk.check({ text: body.text, tests: body.tests ?? null }) };
    },
    ...changes(services),
  };
}

function changes(services: RuleServices): Pick<RuleHandlers, ChangeName> {
  const { desk, scrubber, entityId } = services;
  const actOf = (asked: Asked<EndpointSpec>, request: string, reason: string) =>
    bookActOf(asked, request, scrubber.scrub(reason), false);
  /** Of a rule that the caller saw. */
  const change = <Name extends ChangeName>(
    make: (asked: Asked<(typeof ENDPOINTS)[Name]>, request: string) => Promise<RuleEntry>,
  ) =>
    bookChange<(typeof ENDPOINTS)[Name], RuleEvent>(
      services,
      async (asked, request) => {
        const { ruleId } = asked.params as { ruleId: string };
        await desk.demandUntouched(ruleId, asked.ifMatch!, request);
        return await make(asked, request);
      },
      changeTold,
    ) as HandlerOf<(typeof ENDPOINTS)[Name]>;
  return {
    proposeRule: bookChange(
      services,
      (asked, request) => {
        const { text, tests = null, reason } = asked.body;
        return desk.propose({ text, tests }, actOf(asked, request, reason));
      },
      (entry) => {
        const { sha256 } = entry.event as Extract<RuleEvent, { kind: 'proposed' }>;
        return { ...changeTold(entry), body: { ...changeTold(entry).body, sha256 } };
      },
    ) as RuleHandlers['proposeRule'],
    approveRule: change<'approveRule'>((asked, request) => {
      const { sha256, reason = '' } = asked.body;
      return desk.approve(nameOf(asked.params), sha256, actOf(asked, request, reason));
    }),
    rejectRule: change<'rejectRule'>((asked, request) => {
      return desk.reject(nameOf(asked.params), actOf(asked, request, asked.body.reason));
    }),
    withdrawRule: change<'withdrawRule'>((asked, request) =>
      desk.withdraw(nameOf(asked.params), actOf(asked, request, asked.body.reason)),
    ),
    retireRule: change<'retireRule'>((asked, request) => {
      return desk.retire(asked.params.ruleId, actOf(asked, request, asked.body.reason));
    }),
    rollBackRule: change<'rollBackRule'>((asked, request) => {
      const { version = null, reason } = asked.body;
      return desk.rollback(asked.params.ruleId, version, actOf(asked, request, reason));
    }),
    snoozeRule: change<'snoozeRule'>((asked, request) => {
      const { untilMs, reason } = asked.body;
      return desk.snooze(asked.params.ruleId, untilMs, actOf(asked, request, reason));
    }),
    overrideRule: change<'overrideRule'>((asked, request) => {
      const { field, value, untilMs, reason } = asked.body;
      const override = { ruleId: asked.params.ruleId, field, value: entityId(field, value), untilMs };
      return desk.override(override, actOf(asked, request, reason));
    }),
  };
}

function nameOf({ ruleId, version }: { readonly ruleId: string; readonly version: string }): string {
  return `${ruleId}@${version}`;
}

async function findVersion(
  desk: RuleDesk,
  { ruleId, version }: { readonly ruleId: string; readonly version: string },
  nowMs: number,
): Promise<ShownVersion> {
  const found = (await desk.versions(nowMs, null, ruleId)).find((each) => each.version === Number(version));
  if (found === undefined) throw notFound(`version ${version} of rule ${ruleId}`);
  return found;
}

function isAfter(
  row: { readonly id: string; readonly version: number },
  { id, ms }: { id: string; ms: number },
): boolean {
  return row.id > id || (row.id === id && row.version > ms);
}

function versionOf({ rule, ...version }: ShownVersion) {
  const { name, owner, severity, reason, action, typologies, fromMs, untilMs, notes, source } = rule;
  return {
    ...{ rule: ruleVersion(rule), ...version, name, owner, severity, reason, action, typologies },
    ...{ fromMs, untilMs, notes, when: source },
  };
}

/** What came from the command line may say what the service would not keep. */
type Words = Pick<RuleServices, 'scrubber' | 'entityId'>;

function overrideTold({ field, value, untilMs, reason }: RuleOverride, { scrubber, entityId }: Words) {
  return { field, value: entityId(field, value), untilMs, reason: scrubber.scrub(reason) };
}

function entryTold(entry: RuleEntry, { scrubber, entityId }: Words) {
  const { event } = entry;
  const { why, ...more } = toldOf(entry);
  return {
    ...{ ...more, why: scrubber.scrub(why), kind: event.kind, ruleId: event.id },
    version: 'version' in event ? event.version : null,
    untilMs: 'untilMs' in event ? event.untilMs : null,
    entity: 'field' in event ? { field: event.field, value: entityId(event.field, event.value) } : null,
  };
}

/** The ETag afterwards is the entry itself. */
function changeTold({ number, hash, event }: RuleEntry): Answer<object> {
  const rule = 'version' in event ? `${event.id}@${event.version}` : event.id;
  return { body: { rule, entry: number, hash }, version: number };
}
