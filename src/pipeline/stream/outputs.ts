// Decisions, alerts and dead letters as records of their topics. JSON, so that any program reads them; no names, documents,
// accounts or addresses of people: who needs them has the transaction. Of an address its token, by which alerts are grouped.
import type { GovernorAlert } from '../../decisions/governor-alert.ts';
import type { OutgoingRecord, StreamPartition } from '../../ports.ts';
import type { KeptEvidence } from '../evidence/evidence.ts';
import { deadLetter, type LetterSeal } from './dead-letter.ts';
import type { DecidedRecord, FoldOutput } from './partition-fold.ts';
import type { TopicNames } from './topics.ts';

const NO_HEADERS: OutgoingRecord['headers'] = [];
const NO_EVIDENCE: ReadonlyMap<DecidedRecord, KeptEvidence> = new Map();

/** What an address of the internet is called by where it must not stand itself. */
export type AddressToken = (address: string) => string;

export interface OutputParts {
  readonly maxRecordBytes?: number;
  /** null: dead letters are written as they came. */
  readonly seal?: LetterSeal | null;
  readonly evidence?: ReadonlyMap<DecidedRecord, KeptEvidence>;
  /** null: alerts have no address. */
  readonly addressToken?: AddressToken | null;
}

/** Of one run of records of a partition of the stream. @throws LetterKeyError where dead letters cannot be sealed */
export function outputsOf(
  output: FoldOutput,
  from: StreamPartition,
  topics: TopicNames,
  { maxRecordBytes, seal = null, evidence = NO_EVIDENCE, addressToken = null }: OutputParts = {},
): OutgoingRecord[] {
  const records: OutgoingRecord[] = [];
  for (const decided of output.decided) {
    const key = bytesOf(decided.decision.transaction.id);
    const kept = evidence.get(decided);
    records.push(outgoing(topics.decisions, key, decisionRecord(decided, from, kept?.sha256)));
    if (decided.verdict.intended !== 'approve') {
      records.push(outgoing(topics.alerts, key, alertRecord(decided, from, addressToken, kept?.sha256)));
    }
    if (kept !== undefined) records.push({ ...outgoing(topics.evidence, key, {}), value: kept.bytes });
  }
  for (const alert of output.governorAlerts) {
    records.push(outgoing(topics.alerts, bytesOf('governor'), governorRecord(alert, from)));
  }
  for (const { record, refusal } of output.refused) {
    const at = { ...from, offset: record.offset };
    records.push(deadLetter(topics['dead-letters'], at, record, refusal, maxRecordBytes, seal));
  }
  return records;
}

/** As other programs read it. */
export type DecisionRecord = ReturnType<typeof decisionRecord>;

/**
 * What was decided, by what, and where it stands in the stream: enough to decide it again.
 *
 * @param evidence SHA-256 of the evidence that is kept
 */
export function decisionRecord(
  { offset, origin, decision, verdict, degraded, versions }: DecidedRecord,
  from: StreamPartition,
  evidence?: string,
) {
  const { transaction, reasons } = decision;
  const { thresholds, ...named } = versions;
  const listed = [...verdict.hits, ...verdict.silenced].flatMap(({ rule, listed: found = [] }) =>
    found.map(({ list, entry }) => ({ rule, list, entry })),
  );
  return {
    ...{ id: transaction.id, eventTimeMs: transaction.eventTimeMs, action: verdict.action, intended: verdict.intended },
    ...{ amountMinor: transaction.amountMinor, currency: transaction.currency },
    ...{ by: verdict.by, risk: finite(verdict.risk), modelRisk: finite(verdict.modelRisk) },
    ...{ expectedLossMinor: verdict.expectedLossMinor, rules: decision.rules },
    silenced: verdict.silenced.map(({ rule, silence }) => ({ rule, silence })),
    reasons: reasons.map(({ code, weight, es, en }) => ({ code, weight, es, en })),
    ...{ versions: named, degraded, at: origin ?? { partition: from.partition, offset } },
    // Where they are not the model's own.
    ...(thresholds !== null && { thresholds }),
    // By stages: where the last one stood.
    ...(origin !== undefined && { stageAt: { partition: from.partition, offset } }),
    ...(evidence !== undefined && { evidence }),
    ...(listed.length > 0 && { listed }),
  };
}

function alertRecord(
  decided: DecidedRecord,
  from: StreamPartition,
  addressToken: AddressToken | null,
  evidence?: string,
) {
  const { operation, payerId, payeeId, cardId, deviceId, terminalId, ipAddress } = decided.decision.transaction;
  return {
    ...{ kind: 'transaction' },
    ...decisionRecord(decided, from, evidence),
    ...{ operation, payerId, payeeId, cardId, deviceId, terminalId },
    ...(addressToken !== null && ipAddress !== null && { ipAddress: addressToken(ipAddress) }),
  };
}

function governorRecord(alert: GovernorAlert, from: StreamPartition) {
  return { ...alert, change: alert.kind, kind: 'governor', partition: from.partition };
}

function outgoing(topic: string, key: Uint8Array, value: object): OutgoingRecord {
  return {
    ...{ topic, partition: null, key, headers: NO_HEADERS, timestampMs: null },
    value: bytesOf(JSON.stringify(value)),
  };
}

function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}

/** Short texts share memory, which is cheaper than an encoder's array for each. */
function bytesOf(text: string): Uint8Array {
  return Buffer.from(text);
}
