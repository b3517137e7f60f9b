// Decisions as lines of text, one JSON object each, written so that the same decision taken again gives the same bytes.
//
// The first line says which versions decided. Numbers are written in JSON's shortest form that reads back to the same
// 64 bits, a missing one as null. Taken again, a decision is identical exactly where its line is.

import type { LearntEvidence } from '../../decisions/rule-evidence.ts';
import type { RuleOverride, VerdictPolicy } from '../../decisions/verdict.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import { InputError } from '../../lib/errors.ts';
import type { DecidedRow, DecisionVersion } from '../../pipeline/decide-transactions.ts';
import { printExpression } from '../../rules/print-expression.ts';
import { type Rule, ruleVersion } from '../../rules/rule.ts';
import type { HistoryRange } from './history.ts';

const FORMAT = 'centinela-decisions';
/** 2 tells the model's own risk beside that of model and rules, and what the model learnt of the rules. */
const FORMAT_VERSION = 2;

interface LogHeader {
  readonly format: typeof FORMAT;
  readonly formatVersion: number;
  readonly rules: readonly Record<string, unknown>[];
  readonly model: string | null;
  /** What the model learnt of rules. */
  readonly ruleEvidence: LearntEvidence | null;
  readonly policy: VerdictPolicy;
  /** Left out where there are none. */
  readonly overrides?: readonly RuleOverride[];
  readonly features: readonly string[];
  readonly fromMs: number | null;
  readonly untilMs: number | null;
}

export interface LoggedVersion {
  readonly version: DecisionVersion;
  /** `name@version` of the model, null without one. */
  readonly modelId: string | null;
  readonly definitions: readonly FeatureDefinition[];
  readonly range: HistoryRange;
}

export function headerLine({ version, modelId, definitions, range }: LoggedVersion): string {
  const finite = (value: number) => (Number.isFinite(value) ? value : null);
  const header: LogHeader = {
    ...{ format: FORMAT, formatVersion: FORMAT_VERSION, rules: version.rules.rules.map(ruleRecord), model: modelId },
    ruleEvidence: version.model?.ruleEvidence ?? null,
    ...{ policy: version.policy, ...(version.overrides.length > 0 && { overrides: version.overrides }) },
    ...{ features: definitions.map(({ id }) => id) },
    ...{ fromMs: finite(range.fromMs), untilMs: finite(range.untilMs) },
  };
  return JSON.stringify(header);
}

/** All of a rule that has a part in a decision. */
function ruleRecord(rule: Rule) {
  const { action, severity, reason, mode, fromMs, untilMs } = rule;
  const when = printExpression(rule.when);
  return { rule: ruleVersion(rule), action, severity, reason, mode, fromMs, untilMs, when };
}

/** @param width features per row */
export function decisionLine({ transaction, given, verdict, input }: DecidedRow, width: number): string {
  const { features, offset, scores } = input;
  const names = (hits: readonly { readonly rule: string }[]) => hits.map(({ rule }) => rule);
  return JSON.stringify({
    ...{ id: transaction.id, timeMs: transaction.eventTimeMs, worthMinor: given.amountMinor },
    ...{ risk: verdict.risk, modelRisk: verdict.modelRisk },
    ...{ scores: Array.from(scores), features: Array.from(features.subarray(offset, offset + width)) },
    ...{ findings: input.findings, fired: names(verdict.hits), silenced: names(verdict.silenced) },
    ...{ action: verdict.action, intended: verdict.intended, by: verdict.by, reasons: verdict.ruleReasons },
    expectedLossMinor: verdict.expectedLossMinor,
  });
}

export interface Verification {
  readonly identical: number;
  readonly different: number;
  /** Decisions of the file that the log lacks, and of the log that the file lacks. */
  readonly onlyInFile: number;
  readonly onlyInLog: number;
  /** At most ten, in file order. */
  readonly firstDifferences: readonly { readonly id: string; readonly fields: readonly string[] }[];
}

const MOST_DIFFERENCES = 10;

/** Holds the decisions that are taken again against those of a log, line by line, in order. */
export class LogVerifier {
  readonly #lines: AsyncIterator<string>;
  readonly #pending: { readonly id: string; readonly line: string }[] = [];
  readonly #first: { id: string; fields: readonly string[] }[] = [];
  #identical = 0;
  #different = 0;
  #onlyInFile = 0;
  #atEnd = false;

  constructor(lines: AsyncIterator<string>) {
    this.#lines = lines;
  }

  /** @throws InputError LOG_UNREADABLE, VERSIONS_DIFFER: which part of the versions is another */
  async checkHeader(expected: string): Promise<void> {
    const { value, done } = await this.#lines.next();
    const logged = done === true ? null : parsed(value);
    if (logged?.format !== FORMAT || logged.formatVersion !== FORMAT_VERSION) {
      throw new InputError(
        'LOG_UNREADABLE',
        `the decisions do not begin with a line of format ${FORMAT} ${FORMAT_VERSION}`,
        "Write them with 'centinela replay FILE --decisions OUT.ndjson'",
      );
    }
    if (value === expected) return;
    const fields = differingFields(logged, parsed(expected) ?? {});
    throw new InputError(
      'VERSIONS_DIFFER',
      `the decisions were taken by other versions: ${fields.join(', ')} differ`,
      'Give the rules, the model, the thresholds and the period that they were taken with',
    );
  }

  expect(id: string, line: string): void {
    this.#pending.push({ id, line });
  }

  /** Reads as many lines as are expected. */
  async compare(): Promise<void> {
    for (const { id, line } of this.#pending) {
      const next = this.#atEnd ? null : await this.#lines.next();
      if (next === null || next.done === true) {
        this.#atEnd = true;
        this.#onlyInFile += 1;
      } else if (next.value === line) this.#identical += 1;
      else {
        this.#different += 1;
        if (this.#first.length < MOST_DIFFERENCES) {
          this.#first.push({ id, fields: differingFields(parsed(next.value) ?? {}, parsed(line) ?? {}) });
        }
      }
    }
    this.#pending.length = 0;
  }

  async finish(): Promise<Verification> {
    let onlyInLog = 0;
    while (!this.#atEnd && (await this.#lines.next()).done !== true) onlyInLog += 1;
    const [identical, different] = [this.#identical, this.#different];
    return { identical, different, onlyInFile: this.#onlyInFile, onlyInLog, firstDifferences: this.#first };
  }
}

function parsed(line: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

function differingFields(a: Record<string, unknown>, b: Record<string, unknown>): string[] {
  return [...new Set([...Object.keys(a), ...Object.keys(b)])].filter(
    (key) => JSON.stringify(a[key]) !== JSON.stringify(b[key]),
  );
}
