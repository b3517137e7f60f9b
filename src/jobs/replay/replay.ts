// Replays history through the live version and a candidate, and says what would have been different.

import { createGovernorState, type GovernorSettings, type GovernorState, govern } from '../../decisions/governor.ts';
import type { GovernorAlert } from '../../decisions/governor-alert.ts';
import type { DecisionCosts } from '../../decisions/money-policy.ts';
import { createRuleVocabulary } from '../../decisions/rule-names.ts';
import type { BootstrapUnit } from '../../decisions/worth/bootstrap.ts';
import { Comparison } from '../../decisions/worth/comparison.ts';
import { RuleLedger, type RuleRecord } from '../../decisions/worth/rule-ledger.ts';
import type { DecidedRow } from '../../pipeline/decide-transactions.ts';
import type { TransactionReader } from '../../ports.ts';
import type { GovernorEpisode, ReplayData, ReplayedRule } from '../../report/replay/replay-data.ts';
import { printExpression } from '../../rules/print-expression.ts';
import { type Rule, ruleVersion } from '../../rules/rule.ts';
import type { RuleLists } from '../rules/rule-lists.ts';
import { ChangedAlertTally, type UnitsByName } from './changed-alerts.ts';
import { decisionLine, headerLine, LogVerifier, type Verification } from './decision-log.ts';
import { customerOf, type HistoryRange, passHistory } from './history.ts';
import { type BuiltVersions, buildVersions, type VersionSpec } from './versions.ts';

export interface ReplayOptions {
  readonly reader: TransactionReader;
  readonly live: VersionSpec;
  readonly candidate: VersionSpec;
  readonly lists: RuleLists;
  readonly catalogue: string | null;
  readonly range: HistoryRange;
  readonly costs: DecisionCosts;
  readonly unit: BootstrapUnit;
  readonly seed: number;
  readonly governor: GovernorSettings;
  /** Where the candidate's decisions go as lines. */
  readonly writeLines: ((lines: readonly string[]) => Promise<void>) | null;
  /** Lines of earlier decisions that the candidate's are held against. */
  readonly verifyLines: AsyncIterator<string> | null;
  readonly onProgress: (share: number) => void;
}

export interface Replay extends ReplayData {
  readonly verification: Verification | null;
}

export async function replay(options: ReplayOptions): Promise<Replay> {
  const { reader, live, candidate, range, costs } = options;
  const built = buildVersions([live, candidate], reader, options.catalogue, options.lists);
  const versions = built.deciders.map(({ version }) => version);
  const comparison = new Comparison(costs, options.unit);
  const changes = new ChangedAlertTally(unitsOf(built));
  const removes = rulesRemoved(versions[0].rules.rules, versions[1].rules.rules);
  const ledgers = versions.map(({ rules, policy }) => new RuleLedger(rules.rules, policy, costs));
  const watches = versions.map(() => new GovernorWatch(options.governor));
  const log = await openLog(options, built);
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;
  await passHistory(
    reader,
    built,
    range,
    ({ decided, inTime }) => {
      const [before, after] = decided;
      const { transaction, given } = after;
      const timeMs = transaction.eventTimeMs;
      if (inTime) {
        firstMs = Math.min(firstMs, timeMs);
        lastMs = Math.max(lastMs, timeMs);
      }
      const shared = { timeMs, inTime, customer: customerOf(transaction), label: transaction.isFraud };
      const actions = { live: before.verdict.action, candidate: after.verdict.action };
      comparison.add({ ...shared, worthMinor: given.amountMinor, ...actions });
      changes.add(before, after, [versions[0], versions[1]]);
      decided.forEach(({ given, verdict }, version) => {
        // Of the live version only rules that the candidate lacks are shown.
        if (version === 1 || removes) ledgers[version].add({ given, verdict, ...shared });
        if (inTime) watches[version].observe(timeMs, verdict.intended);
      });
      log?.take(after);
    },
    async () => {
      await log?.flush();
      options.onProgress(reader.progress());
    },
  );
  return {
    ...{ comparison: comparison.result(options.seed), changes: changes.result(), otherAction: changes.otherAction },
    rules: rulesOf(
      removes ? ledgers[0].records(options.seed) : [],
      ledgers[1].records(options.seed),
      versions.map(({ rules }) => rules.rules),
    ),
    governor: { live: watches[0].episodes, candidate: watches[1].episodes },
    ...{ features: built.definitions.length, periodMs: firstMs <= lastMs ? [firstMs, lastMs] : null },
    verification: (await log?.finish()) ?? null,
  };
}

function unitsOf({ definitions }: BuiltVersions): UnitsByName {
  return new Map(
    [...createRuleVocabulary(definitions, []).names.values()].flatMap(({ name, type }) =>
      type.kind === 'number' ? [[name, type.unit] as const] : [],
    ),
  );
}

interface DecisionLog {
  take(decided: DecidedRow): void;
  flush(): Promise<void>;
  finish(): Promise<Verification | null>;
}

async function openLog(
  { candidate, range, writeLines, verifyLines }: ReplayOptions,
  { definitions, deciders }: BuiltVersions,
): Promise<DecisionLog | null> {
  if (writeLines === null && verifyLines === null) return null;
  const header = headerLine({
    ...{ version: deciders[1].version, modelId: candidate.model?.id ?? null, definitions, range },
  });
  const verifier = verifyLines === null ? null : new LogVerifier(verifyLines);
  await verifier?.checkHeader(header);
  await writeLines?.([header]);
  let lines: string[] = [];
  return {
    take(decided) {
      const line = decisionLine(decided, definitions.length);
      lines.push(line);
      verifier?.expect(decided.transaction.id, line);
    },
    async flush() {
      await writeLines?.(lines);
      lines = [];
      await verifier?.compare();
    },
    finish: async () => (await verifier?.finish()) ?? null,
  };
}

class GovernorWatch {
  readonly episodes: GovernorEpisode[] = [];
  readonly #settings: GovernorSettings;
  readonly #state: GovernorState = createGovernorState();

  constructor(settings: GovernorSettings) {
    this.#settings = settings;
  }

  observe(timeMs: number, intended: DecidedRow['verdict']['intended']): void {
    // History does not say how long a decision took.
    const observation = { timeMs, intended, degraded: false, late: false };
    for (const alert of govern(this.#state, observation, this.#settings).alerts) {
      const { cause, lastedMs } = alert;
      if (lastedMs === null) this.episodes.push({ fromMs: timeMs, untilMs: null, cause, began: alert, ended: null });
      else
        this.#end(
          this.episodes.findLastIndex((each) => each.cause === cause && each.ended === null),
          alert,
        );
    }
  }

  #end(episode: number, ended: GovernorAlert): void {
    this.episodes[episode] = { ...this.episodes[episode], untilMs: ended.timeMs, ended };
  }
}

function rulesRemoved(before: readonly Rule[], after: readonly Rule[]): boolean {
  const kept = new Set(after.map(({ id }) => id));
  return before.some(({ id }) => !kept.has(id));
}

/** @param live in the order of the rules before, or empty where none is removed */
function rulesOf(
  live: readonly RuleRecord[],
  candidate: readonly RuleRecord[],
  [before, after]: readonly (readonly Rule[])[],
): ReplayedRule[] {
  const liveById = new Map(before.map((rule) => [rule.id, rule]));
  const kept = new Set(after.map(({ id }) => id));
  return [
    ...candidate.map((record, index): ReplayedRule => {
      const other = liveById.get(after[index].id);
      return { record, change: other === undefined ? 'new' : sameRule(other, after[index]) ? 'same' : 'changed' };
    }),
    ...live.filter((_, index) => !kept.has(before[index].id)).map((record) => ({ record, change: 'removed' as const })),
  ];
}

function sameRule(a: Rule, b: Rule): boolean {
  const told = (rule: Rule) => [
    ...[ruleVersion(rule), rule.action, rule.mode, rule.fromMs, rule.untilMs, rule.reason, rule.severity],
    printExpression(rule.when),
  ];
  return JSON.stringify(told(a)) === JSON.stringify(told(b));
}
