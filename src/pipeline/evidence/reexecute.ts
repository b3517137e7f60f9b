// Decides again from the evidence, with the functions that the stream decides with, and says the first thing that differs.
import type { Asking } from '../../decisions/risk-model.ts';
import { decide } from '../../decisions/verdict.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import { createDecider, type DecisionVersion, type FoldedBatch } from '../decide-transactions.ts';
import { explainRow, REASONS } from '../explain-decision.ts';
import { bitsOf, numberOfBits, numbersOfBytes } from './bits.ts';
import {
  catalogueHash,
  type Evidence,
  type EvidenceHit,
  type EvidenceReason,
  evidenceHits,
  evidenceReasons,
  evidenceVerdict,
  rulesHash,
} from './evidence.ts';

/** What decided then, loaded again by the names that the evidence has; lists as they were then. */
export interface LoadedVersion extends Pick<DecisionVersion, 'rules' | 'model'> {
  readonly definitions: readonly FeatureDefinition[];
  /** Of the stored model, as it was loaded. */
  readonly modelSha256: string | null;
}

export interface Reexecution {
  readonly isSame: boolean;
  /** The first thing that differs; null where nothing does. */
  readonly difference: Difference | null;
}

export interface Difference {
  /** `model.sha256`, `scores.gbdt`, `rules.fired.0.rule`, `verdict.riskBits` */
  readonly what: string;
  readonly recorded: string;
  readonly now: string;
}

/**
 * @param transaction as it was opened, or read from the stream at `evidence.at`
 * @throws whatever `loadVersion` throws where the version is not to be had any more
 */
export async function reexecute(
  evidence: Evidence,
  transaction: Transaction,
  loadVersion: (evidence: Evidence) => Promise<LoadedVersion>,
): Promise<Reexecution> {
  const loaded = await loadVersion(evidence);
  const difference = differenceOfVersions(evidence, loaded) ?? differenceOfDecisions(evidence, transaction, loaded);
  return { isSame: difference === null, difference };
}

/** What decides is the same, to the byte; otherwise it need not be asked. */
function differenceOfVersions({ model, rules, features, scores }: Evidence, loaded: LoadedVersion): Difference | null {
  const detectors = loaded.model?.parts.map(({ detector }) => detector.name) ?? [];
  return firstDifference([
    ['model.sha256', model?.sha256, loaded.modelSha256 ?? undefined],
    ['rules.sha256', rules.sha256, rulesHash(loaded.rules.rules)],
    ['features.catalogueSha256', features.catalogueSha256, catalogueHash(loaded.definitions)],
    ['features.count', features.count, loaded.definitions.length],
    ['scores', scores.map(({ detector }) => detector).join(), detectors.join()],
  ]);
}

function differenceOfDecisions(evidence: Evidence, transaction: Transaction, loaded: LoadedVersion): Difference | null {
  const { policy, overrides, leftOut, wording } = evidence;
  const { rules, model, definitions } = loaded;
  // The governor's limit comes after, as in the stream.
  const version = { rules, model, policy: { ...policy, severest: null }, overrides };
  const decider = createDecider(version, definitions);
  const batch = batchOf(evidence, transaction);
  const asking: Asking = { leftOut: leftOut.filter((part) => part !== REASONS), ask: (_, score) => score() };
  const decided = decider.open(batch, asking)(0);
  const verdict = policy.severest === null ? decided.verdict : decide(decided.given, policy);
  const row = { ...decided, verdict };
  const decision = explainRow(row, batch, 0, decider, wording, 'quick', leftOut);
  return firstDifference([
    ['id', evidence.id, transaction.id],
    ['eventTimeMs', evidence.eventTimeMs, transaction.eventTimeMs],
    ['authFactors', evidence.authFactors.join(), transaction.authFactors.join()],
    // A transaction that was sealed by an older version has no such field.
    ['exemption', evidence.exemption, transaction.authExemption ?? null],
    ...evidence.scores.map(
      ({ detector, bits }, i) => [`scores.${detector}`, bits, bitsOf(row.input.scores[i])] as const,
    ),
    ...comparedHits(evidence.rules.fired, evidenceHits(verdict, rules.rules)),
    ...membersOf('verdict', evidence.verdict, evidenceVerdict(verdict)),
    ...comparedReasons(evidence.reasons, evidenceReasons(decision)),
  ]);
}

/** The one row, as it was folded. */
function batchOf({ features, fold, findings, worthBits }: Evidence, transaction: Transaction): FoldedBatch {
  return {
    ...{ transactions: [transaction], features: numbersOfBytes(features.values), width: features.count },
    ...{ results: [fold], findings: [findings], worthsMinor: Float64Array.of(numberOfBits(worthBits)) },
  };
}

type Compared = readonly [what: string, recorded: unknown, now: unknown];

function comparedHits(recorded: readonly EvidenceHit[], now: readonly EvidenceHit[]): Compared[] {
  return [
    ['rules.fired', recorded.map(({ rule }) => rule).join(), now.map(({ rule }) => rule).join()],
    ...recorded.flatMap(({ listed: _, ...hit }, i) => membersOf(`rules.fired.${i}`, hit, now[i])),
  ];
}

/** Texts may be worded anew in later versions; what they say may not. */
function comparedReasons(recorded: readonly EvidenceReason[], now: readonly EvidenceReason[]): Compared[] {
  return [
    ['reasons', recorded.map(({ code }) => code).join(), now.map(({ code }) => code).join()],
    ...recorded.map(({ weightBits }, i) => [`reasons.${i}.weightBits`, weightBits, now[i]?.weightBits] as const),
  ];
}

function membersOf(of: string, recorded: object, now: object | undefined): Compared[] {
  return Object.entries(recorded).map(([name, value]) => [
    `${of}.${name}`,
    value,
    (now as Record<string, unknown> | undefined)?.[name],
  ]);
}

function firstDifference(compared: readonly Compared[]): Difference | null {
  const found = compared.find(([, recorded, now]) => recorded !== now);
  return found === undefined ? null : { what: found[0], recorded: String(found[1]), now: String(found[2]) };
}
