// Which alerts a candidate brings and which it takes away: how many, and the largest of each kind with their reasons.
import { reasonText } from '../../decisions/reason-codes.ts';
import { decimal, duration, integer } from '../../decisions/reasons/format.ts';
import type { RuleInput } from '../../decisions/rule-names.ts';
import type { DecidedRow, DecisionVersion } from '../../pipeline/decide-transactions.ts';
import {
  CHANGES,
  type Change,
  type ChangedAlert,
  type ChangedAlerts,
  LABELS,
  type LabelKind,
} from '../../report/replay/replay-data.ts';
import type { RuleUnit } from '../../rules/node.ts';
import { type RuleAction, ruleVersion } from '../../rules/rule.ts';
import type { RuleSet } from '../../rules/rule-set.ts';
import { customerOf } from './history.ts';

const MOST_EXAMPLES = 10;
const MOST_VALUES = 6;
const NAME = /^[A-Za-z_]\w*$/;

export type UnitsByName = ReadonlyMap<string, RuleUnit>;

export class ChangedAlertTally {
  readonly #units: UnitsByName;
  readonly #groups = new Map<string, { count: number; worthMinor: number; examples: ChangedAlert[] }>();
  /** Alerts in both versions, with another action. */
  otherAction = 0;

  /** @param units of the names that conditions may speak of */
  constructor(units: UnitsByName) {
    this.#units = units;
  }

  add(live: DecidedRow, candidate: DecidedRow, versions: readonly [DecisionVersion, DecisionVersion]): void {
    const [before, after] = [live.verdict.action, candidate.verdict.action];
    if (before === after) return;
    if (before !== 'approve' && after !== 'approve') {
      this.otherAction += 1;
      return;
    }
    const appears = before === 'approve';
    const { transaction, given } = candidate;
    const { isFraud } = transaction;
    const label: LabelKind = isFraud === null ? 'unknown' : isFraud ? 'fraud' : 'genuine';
    const group = this.#group(appears ? 'appears' : 'disappears', label);
    const worth = Number.isNaN(given.amountMinor) ? 0 : given.amountMinor;
    group.count += 1;
    group.worthMinor += worth;
    const { examples } = group;
    const least = examples.at(-1);
    if (examples.length === MOST_EXAMPLES && least !== undefined && worthOf(least) >= worth) return;
    const raised = appears ? candidate : live;
    const example = describe(raised, before, after, versions[appears ? 1 : 0].rules, this.#units);
    examples.splice(examples.findLastIndex((other) => worthOf(other) >= worth) + 1, 0, example);
    examples.length = Math.min(examples.length, MOST_EXAMPLES);
  }

  #group(change: Change, label: LabelKind) {
    const key = `${change} ${label}`;
    const group = this.#groups.get(key) ?? { count: 0, worthMinor: 0, examples: [] };
    this.#groups.set(key, group);
    return group;
  }

  /** Groups without an alert are there too. */
  result(): ChangedAlerts[] {
    return CHANGES.flatMap((change) => LABELS.map((label) => ({ change, label, ...this.#group(change, label) })));
  }
}

function worthOf({ worthMinor }: ChangedAlert): number {
  return Number.isNaN(worthMinor) ? 0 : worthMinor;
}

function describe(
  { transaction, given, verdict, input }: DecidedRow,
  live: RuleAction,
  candidate: RuleAction,
  set: RuleSet<RuleInput>,
  units: UnitsByName,
): ChangedAlert {
  const rules = verdict.hits.filter(({ action }) => action !== 'approve').map(({ rule }) => rule);
  const first = set.rules.findIndex((rule) => ruleVersion(rule) === rules[0]);
  const { id, eventTimeMs, amountMinor, currency, typology } = transaction;
  return {
    ...{ id, timeMs: eventTimeMs, customer: customerOf(transaction), amountMinor, currency, typology, live, candidate },
    ...{ worthMinor: given.amountMinor, rules, risk: Number.isNaN(verdict.risk) ? null : verdict.risk },
    reasons: verdict.ruleReasons.flatMap((code) => {
      const text = reasonText(code);
      return text === null ? [] : [{ es: text.es, en: text.en }];
    }),
    values: first < 0 ? [] : valuesSeen(set, first, input, units),
  };
}

/** The names that the rule's condition looked at, with their values, each once. */
function valuesSeen(
  set: RuleSet<RuleInput>,
  rule: number,
  input: RuleInput,
  units: UnitsByName,
): ChangedAlert['values'] {
  const { source } = set.rules[rule];
  const seen = new Map<string, string>();
  for (const { from, to, value } of set.trace(rule, input)) {
    const name = source.slice(from, to);
    if (value === null || !NAME.test(name)) continue;
    seen.set(name, typeof value === 'number' ? numberText(units.get(name) ?? null, value) : String(value));
  }
  return [...seen].slice(0, MOST_VALUES).map(([name, value]) => ({ name, value }));
}

function numberText(unit: RuleUnit | null, value: number): string {
  if (unit === 'duration') return duration(value).en;
  if (unit === 'money') return decimal(value, 2);
  return Number.isInteger(value) ? integer(value) : decimal(value, Math.abs(value) < 1 ? 3 : 2);
}
