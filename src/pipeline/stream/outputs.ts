// Decisions, alerts and dead letters as records of their topics. JSON, so that any program reads them; no names, documents
// or accounts of people: who needs them has the transaction.
import type { GovernorAlert } from '../../decisions/governor-alert.ts';
import type { OutgoingRecord, StreamPartition } from '../../ports.ts';
import type { KeptEvidence } from '../evidence/evidence.ts';
import { deadLetter, type LetterSeal } from './dead-letter.ts';
import type { DecidedRecord, FoldOutput } from './partition-fold.ts';
import type { TopicNames } from './topics.ts';

const NO_HEADERS: OutgoingRecord['headers'] = [];
const NO_EVIDENCE: ReadonlyMap<DecidedRecord, KeptEvidence> = new Map();

/** Of one run of records of a partition of the stream. @throws LetterKeyError where dead letters cannot be sealed */
export function outputsOf(
  output: FoldOutput,
  from: StreamPartition,
  topics: TopicNames,
  maxRecordBytes?: number,
  seal: LetterSeal | null = null,
  evidence: ReadonlyMap<DecidedRecord, KeptEvidence> = NO_EVIDENCE,
): OutgoingRecord[] {
  const records: OutgoingRecord[] = [];
  for (const decided of output.decided) {
    const key = bytesOf(decided.decision.transaction.id);
    const kept = evidence.get(decided);
    records.push(outgoing(topics.decisions, key, decisionRecord(decided, from, kept?.sha256)));
    if (decided.verdict.intended !== 'approve') {
      records.push(outgoing(topics.alerts, key, alertRecord(decided, from, kept?.sha256)));
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
    ...{ versions, degraded, at: origin ?? { partition: from.partition, offset } },
    // By stages: where the last one stood.
    ...(origin !== undefined && { stageAt: { partition: from.partition, offset } }),
    ...(evidence !== undefined && { evidence }),
    ...(listed.length > 0 && { listed }),
  };
}

function alertRecord(decided: DecidedRecord, from: StreamPartition, evidence?: string) {
  const { operation, payerId, payeeId, cardId, deviceId, terminalId } = decided.decision.transaction;
  return {
    ...{ kind: 'transaction' },
    ...decisionRecord(decided, from, evidence),
    ...{ operation, payerId, payeeId, cardId, deviceId, terminalId },
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
