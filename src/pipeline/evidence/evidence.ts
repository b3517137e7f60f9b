// The evidence of one decision: all that it was made of, to the bit, so that it can be made again years later, and shown to
// a customer, a judge or the supervisor (Res. SBS 2286-2024 and 02220-2025: who bears the loss depends on the factors that
// were verified and on the exemption that was used).
//
// Numbers are kept as the bytes of their IEEE 754 doubles; a text of decimals would have to be trusted to be read back the
// same. The transaction itself is sealed or masked by the caller. Its hash is taken together with random bytes that are
// sealed with it: once the customer's key is destroyed the hash tells nothing, not even to who guesses.
import { createHash } from 'node:crypto';
import type { RuleHit, RuleOverride, SilencedHit, Verdict, VerdictPolicy } from '../../decisions/verdict.ts';
import type { Transaction } from '../../domain/transaction.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import type { FoldResult } from '../../features/engine.ts';
import { assert } from '../../lib/assert.ts';
import { InputError } from '../../lib/errors.ts';
import type { Rule } from '../../rules/rule.ts';
import { ruleVersion } from '../../rules/rule.ts';
import { writeRule } from '../../rules/write-rule.ts';
import type { DecidedRow, DecisionVersion, FoldedBatch } from '../decide-transactions.ts';
import type { Decision, ReasonWording } from '../explain-decision.ts';
import { bitsOf, bytesOfNumbers, numbersOfBytes } from './bits.ts';

export type EvidenceTransaction =
  /** `value`: base64 of what the caller made of `openingOf(…).plain`, of which `sha256` is the hash. */
  | { readonly form: 'sealed'; readonly value: string; readonly sha256: string }
  /** Fields as they may be shown. The transaction itself is in the stream, as long as that is kept. */
  | { readonly form: 'masked'; readonly value: Readonly<Record<string, unknown>> };

export interface Evidence {
  readonly format: 'centinela-evidence';
  readonly formatVersion: 1;
  /** Version of the program. */
  readonly program: string;
  readonly id: string;
  readonly eventTimeMs: number;
  /** When it was decided. */
  readonly decidedMs: number;
  readonly transaction: EvidenceTransaction;
  /** Verified factors of authentication. */
  readonly authFactors: readonly string[];
  /** Why a second factor was not asked for: the bank's code; null where it was. */
  readonly exemption: string | null;
  readonly features: {
    /** What the numbers are, in their order: SHA-256 of the catalogue's ids. */
    readonly catalogueSha256: string;
    readonly count: number;
    /** base64 of doubles, little-endian. */
    readonly values: string;
  };
  /** Of the windows: in time, late, or out of time. */
  readonly fold: FoldResult;
  readonly findings: readonly string[];
  /** Céntimos of soles, as bits. */
  readonly worthBits: string;
  readonly model: { readonly id: string; readonly sha256: string } | null;
  /** Scores by detector, as bits; those of detectors that were left out are NaN. */
  readonly scores: readonly { readonly detector: string; readonly bits: string }[];
  /** Detectors that were not asked, and `reasons`. */
  readonly leftOut: readonly string[];
  readonly rules: {
    /** Of all rules, in the order in which they were evaluated. */
    readonly sha256: string;
    readonly fired: readonly EvidenceHit[];
  };
  /** Those that silenced a rule. */
  readonly overrides: readonly RuleOverride[];
  /** With the governor's limit at that moment. */
  readonly policy: VerdictPolicy;
  readonly verdict: EvidenceVerdict;
  readonly reasons: readonly EvidenceReason[];
  readonly wording: ReasonWording;
  /** Where the transaction is in the stream. */
  readonly at: { readonly partition: number; readonly offset: number };
  /** The newest signed entry of the audit that was known when the evidence was taken; null where none was signed yet. */
  readonly auditHead: { readonly sequence: number; readonly hash: string } | null;
}

export interface EvidenceHit {
  /** `id@version` */
  readonly rule: string;
  readonly action: RuleHit['action'];
  readonly severity: RuleHit['severity'];
  readonly reason: string;
  readonly doubtBits: string;
  readonly silence: SilencedHit['silence'] | null;
  /** Told and not compared: by likeness it may be another of two names that are as like, once the list has grown. */
  readonly listed?: RuleHit['listed'];
  /** The rule as it is kept and was approved. */
  readonly text: string;
}

export interface EvidenceVerdict {
  readonly action: Verdict['action'];
  readonly intended: Verdict['intended'];
  readonly by: Verdict['by'];
  readonly riskBits: string;
  readonly modelRiskBits: string;
  /** Again in decimals, for people; null where it is not known. */
  readonly risk: number | null;
  readonly expectedLossBits: string | null;
}

export interface EvidenceReason {
  readonly code: string;
  readonly weightBits: string;
  readonly es: string;
  readonly en: string;
}

/** What is known where a decision is made. */
export interface EvidenceInput {
  readonly program: string;
  readonly decidedMs: number;
  /** With the verdict that counts, after the governor. */
  readonly row: DecidedRow;
  readonly batch: FoldedBatch;
  /** Of the batch. */
  readonly index: number;
  readonly decision: Decision;
  readonly version: DecisionVersion;
  readonly definitions: readonly FeatureDefinition[];
  readonly model: Evidence['model'];
  /** The governor's at that moment. */
  readonly severest: VerdictPolicy['severest'];
  readonly leftOut: readonly string[];
  readonly wording: ReasonWording;
  readonly transaction: EvidenceTransaction;
  readonly at: Evidence['at'];
  readonly auditHead: Evidence['auditHead'];
}

export interface KeptEvidence {
  readonly bytes: Uint8Array;
  /** SHA-256 of the bytes: what the audit names it by. */
  readonly sha256: string;
}

const SALT_BYTES = 16;

/** What is sealed of a transaction, and its hash. @param salt 16 random bytes */
export function openingOf(transaction: Transaction, salt: Uint8Array) {
  if (salt.length < SALT_BYTES) throw new RangeError(`the salt has ${salt.length} bytes, not ${SALT_BYTES}`);
  const text = JSON.stringify({ salt: Buffer.from(salt).toString('base64'), transaction });
  const plain = new Uint8Array(Buffer.from(text));
  return { plain, sha256: sha256(plain) };
}

/** @throws InputError where what was opened is not what was sealed */
export function readOpening(plain: Uint8Array, expectedSha256: string): Transaction {
  if (sha256(plain) === expectedSha256) {
    return (JSON.parse(Buffer.from(plain).toString('utf8')) as { readonly transaction: Transaction }).transaction;
  }
  throw new InputError('EVIDENCE_TRANSACTION', 'The sealed transaction is not the one that was decided', TAMPERED);
}

export function buildEvidence(input: EvidenceInput): KeptEvidence {
  const { row, batch, index, decision, version, definitions, severest } = input;
  const { transaction, verdict } = row;
  const { width } = batch;
  const detectors = version.model?.parts.map(({ detector }) => detector.name) ?? [];
  const silenced = verdict.silenced.filter(({ silence }) => silence === 'override').map(({ rule }) => rule);
  const evidence: Evidence = {
    ...{ format: 'centinela-evidence', formatVersion: 1, program: input.program },
    ...{ id: transaction.id, eventTimeMs: transaction.eventTimeMs, decidedMs: input.decidedMs },
    ...{ transaction: input.transaction, authFactors: transaction.authFactors, exemption: transaction.authExemption },
    features: {
      catalogueSha256: catalogueHash(definitions),
      count: width,
      values: bytesOfNumbers(batch.features.subarray(index * width, (index + 1) * width)),
    },
    fold: batch.results[index],
    findings: batch.findings[index],
    worthBits: bitsOf(batch.worthsMinor[index]),
    model: input.model,
    scores: detectors.map((detector, i) => ({ detector, bits: bitsOf(row.input.scores[i]) })),
    leftOut: input.leftOut,
    rules: { sha256: rulesHash(version.rules.rules), fired: evidenceHits(verdict, version.rules.rules) },
    overrides: version.overrides.filter((override) => silences(override, silenced, transaction)),
    policy: { ...version.policy, severest },
    verdict: evidenceVerdict(verdict),
    reasons: evidenceReasons(decision),
    ...{ wording: input.wording, at: input.at, auditHead: input.auditHead },
  };
  const bytes = bytesOfEvidence(evidence);
  return { bytes, sha256: sha256(bytes) };
}

/** As it is kept and hashed: read and written again, it is the same bytes. */
export function bytesOfEvidence(evidence: Evidence): Uint8Array {
  return new Uint8Array(Buffer.from(`${JSON.stringify(evidence, onlyFinite, 1)}\n`));
}

/** What it is named by. */
export function evidenceHash(bytes: Uint8Array): string {
  return sha256(bytes);
}

/**
 * @param expectedSha256 what the audit or the decision names; null to take the bytes as they are
 * @throws InputError where they are not the evidence that was kept
 */
export function readEvidence(bytes: Uint8Array, expectedSha256: string | null): Evidence {
  if (expectedSha256 !== null && sha256(bytes) !== expectedSha256) {
    throw new InputError('EVIDENCE_CHANGED', 'The evidence is not what was kept (its SHA-256 differs)', TAMPERED);
  }
  let evidence: Evidence | null;
  try {
    evidence = JSON.parse(Buffer.from(bytes).toString('utf8')) as Evidence | null;
  } catch {
    throw new InputError('EVIDENCE_UNREADABLE', 'The evidence is no JSON', TAMPERED);
  }
  if (evidence?.format !== 'centinela-evidence' || evidence.formatVersion !== 1 || !hasShape(evidence)) {
    throw new InputError('EVIDENCE_UNREADABLE', 'It is no evidence that this version reads', 'Use a newer version');
  }
  return evidence;
}

/** JSON would make them null, and another decision of them. */
function onlyFinite(name: string, value: unknown): unknown {
  assert(typeof value !== 'number' || Number.isFinite(value), `${name} of the evidence is no finite number`);
  return value;
}

const TAMPERED = 'Restore it from a copy, and look into who changed it';

/** Feature by feature, for people. @throws InputError where the catalogue is another one */
export function namedFeatures({ features }: Evidence, definitions: readonly FeatureDefinition[]) {
  if (features.catalogueSha256 !== catalogueHash(definitions)) {
    throw new InputError('EVIDENCE_CATALOGUE', 'The features are of another catalogue', 'Give the one of that time');
  }
  const values = numbersOfBytes(features.values);
  return definitions.map(({ id }, column) => ({ id, value: Number.isNaN(values[column]) ? null : values[column] }));
}

export function evidenceVerdict(verdict: Verdict): EvidenceVerdict {
  const { action, intended, by, risk, modelRisk, expectedLossMinor } = verdict;
  return {
    ...{ action, intended, by, riskBits: bitsOf(risk), modelRiskBits: bitsOf(modelRisk) },
    risk: Number.isNaN(risk) ? null : risk,
    expectedLossBits: expectedLossMinor === null ? null : bitsOf(expectedLossMinor),
  };
}

export function evidenceReasons({ reasons }: Decision): EvidenceReason[] {
  return reasons.map(({ code, weight, es, en }) => ({ code, weightBits: bitsOf(weight), es, en }));
}

/** Those that fired, severest or not, in the order of the verdict. */
export function evidenceHits({ hits, silenced }: Verdict, rules: readonly Rule[]): EvidenceHit[] {
  const texts = new Map(rules.map((rule) => [ruleVersion(rule), rule]));
  const told = (hit: RuleHit, silence: EvidenceHit['silence']): EvidenceHit => {
    const { rule, action, severity, reason, doubt, listed } = hit;
    const named = { rule, action, severity, reason, doubtBits: bitsOf(doubt), silence };
    return { ...named, ...(listed !== undefined && { listed }), text: writeRule(texts.get(rule)!) };
  };
  return [...hits.map((hit) => told(hit, null)), ...silenced.map((hit) => told(hit, hit.silence))];
}

const hashes = new WeakMap<readonly unknown[], string>();

/** Of all rules, their texts in the order in which they are evaluated. */
export function rulesHash(rules: readonly Rule[]): string {
  return remembered(rules, () => rules.map(writeRule).join(''));
}

export function catalogueHash(definitions: readonly FeatureDefinition[]): string {
  return remembered(definitions, () => definitions.map(({ id }) => `${id}\n`).join(''));
}

function remembered(of: readonly unknown[], textOf: () => string): string {
  const known = hashes.get(of) ?? sha256(Buffer.from(textOf()));
  hashes.set(of, known);
  return known;
}

function silences({ ruleId, field, value }: RuleOverride, rules: readonly string[], transaction: Transaction): boolean {
  return transaction[field] === value && rules.some((rule) => rule.slice(0, rule.lastIndexOf('@')) === ruleId);
}

function hasShape({ features, policy, verdict, rules, scores, overrides, at, transaction }: Evidence): boolean {
  return (
    typeof features?.values === 'string' &&
    numbersOfBytes(features.values).length === features.count &&
    typeof policy?.thresholds === 'object' &&
    typeof verdict?.riskBits === 'string' &&
    Array.isArray(rules?.fired) &&
    [scores, overrides].every(Array.isArray) &&
    Number.isSafeInteger(at?.offset) &&
    (transaction?.form === 'sealed' || transaction?.form === 'masked')
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
