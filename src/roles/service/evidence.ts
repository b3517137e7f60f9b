// Evidence beside a running service: packed where decisions are made, kept among the objects as it comes out of the stream.
//
// The transaction in it is sealed under its customer's key, so that erasing the customer erases it from the evidence, too.
import { randomBytes } from 'node:crypto';
import type { ChainPoint } from '../../audit/chain.ts';
import { findPack, keepPack, keepRules } from '../../jobs/evidence/evidence-store.ts';
import { FencedError, StreamUnavailableError } from '../../lib/errors.ts';
import type { EvidencePacker } from '../../pipeline/evidence/draft.ts';
import { buildEvidence, type EvidenceTransaction, openingOf, rulesHash } from '../../pipeline/evidence/evidence.ts';
import type { ObjectStore, StreamConsumer, StreamLog, StreamPosition } from '../../ports.ts';
import type { DataKeys } from '../../privacy/data-keys.ts';
import { keyIdOf, openBytes, type SealedPlace, sealBytes } from '../../privacy/envelope.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Sealing } from './sealing.ts';

export interface PackingParts {
  readonly sealing: Pick<Sealing, 'codec' | 'keys'>;
  /** Where rules are kept by their hash. */
  readonly objects: ObjectStore;
  /** Of a stored model; null where there is no such model. */
  readonly modelHash: (id: string) => Promise<string | null>;
  /** How far the audit is signed, as far as it is known without waiting. */
  readonly signedHead: () => ChainPoint | null;
  readonly program: string;
}

const SALT_BYTES = 16;
/** Changes of what decides are rare. */
const MOST_REMEMBERED = 100;

function placeOf(id: string): SealedPlace {
  return { table: 'evidence', row: id, field: 'transaction' };
}

export function evidencePacker({ sealing, objects, modelHash, signedHead, program }: PackingParts): EvidencePacker {
  const { codec, keys } = sealing;
  const models = new Map<string, string>();
  const rulesKept = new Set<string>();
  const modelOf = async (id: string | null) => {
    if (id === null) return null;
    const sha256 = models.get(id) ?? (await modelHash(id));
    if (sha256 === null) throw new Error(`model ${id} is not in the registry any more`);
    if (models.size >= MOST_REMEMBERED) models.clear();
    models.set(id, sha256);
    return { id, sha256 };
  };
  const keepOnce = async (rules: Parameters<typeof keepRules>[1]) => {
    const sha256 = rulesHash(rules);
    if (rulesKept.has(sha256)) return;
    await keepRules(objects, rules);
    if (rulesKept.size >= MOST_REMEMBERED) rulesKept.clear();
    rulesKept.add(sha256);
  };
  const sealed = async (transaction: Parameters<typeof openingOf>[0]): Promise<EvidenceTransaction> => {
    const { plain, sha256 } = openingOf(transaction, randomBytes(SALT_BYTES));
    const subject = codec.subjectOf(transaction);
    const nowMs = Date.now();
    const key = keys.keyToSeal(subject, nowMs) ?? (await keys.keysToSeal([subject], nowMs)).get(subject)!;
    const value = Buffer.from(sealBytes(key, plain, placeOf(transaction.id))).toString('base64');
    return { form: 'sealed', value, sha256 };
  };
  return async ({ model, ...draft }, at) => {
    try {
      await keepOnce(draft.version.rules.rules);
      return buildEvidence({
        ...{ ...draft, at, program, decidedMs: Date.now(), auditHead: signedHead() },
        ...{ model: await modelOf(model), transaction: await sealed(draft.row.transaction) },
      });
    } catch (error) {
      throw new StreamUnavailableError(`the evidence of a decision cannot be made: ${(error as Error).message}`);
    }
  };
}

/** @returns null where the customer was erased @throws EnvelopeError */
export async function openEvidence(keys: DataKeys, id: string, value: Uint8Array): Promise<Uint8Array | null> {
  const keyId = keyIdOf(value);
  const key = (await keys.keysToOpen([keyId])).get(keyId);
  return key === undefined || key === 'erased' ? null : openBytes(key, value, placeOf(id));
}

export interface RunningEvidence {
  find(id: string): Promise<Uint8Array | null>;
  close(): Promise<void>;
}

export interface KeepingParts {
  readonly log: StreamLog;
  readonly topic: string;
  readonly objects: ObjectStore;
  readonly logger: Logger;
}

const POLL_RECORDS = 200;
const POLL_WAIT_MS = 500;
const FIRST_RETRY_MS = 200;
const MOST_RETRY_MS = 30_000;

/** Follows the topic; the group moves on once packs are kept, so that after a crash some are kept again, the same bytes. */
export function startEvidence({ log, topic, objects, logger }: KeepingParts): RunningEvidence {
  let isStopping = false;
  const follow = async (consumer: StreamConsumer) => {
    while (!isStopping) {
      const batches = await consumer.poll(POLL_RECORDS, POLL_WAIT_MS);
      for (const { partition, records } of batches) {
        for (const { key, value } of records) {
          if (key !== null && value !== null) await keepPack(objects, Buffer.from(key).toString('utf8'), value);
        }
        const offset = records[records.length - 1].offset + 1;
        await consumer.commit([], [{ topic, partition, offset }]);
      }
    }
  };
  const run = async () => {
    for (let failures = 0; !isStopping; failures++) {
      let consumer: StreamConsumer | null = null;
      try {
        const assigned = async (at: readonly StreamPosition[]) => at;
        const listener = { assigned, revoked: async () => undefined, lost: async () => undefined };
        consumer = await log.join({ group: 'evidence', topics: [topic], listener });
        await follow(consumer);
      } catch (error) {
        if (!(error instanceof FencedError)) {
          logger.warn({ message: (error as Error).message }, 'evidence will be kept again');
        }
        await new Promise((resolve) => setTimeout(resolve, Math.min(MOST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures)));
      } finally {
        await consumer?.close().catch(() => undefined);
      }
    }
  };
  const running = run();
  return {
    find: (id) => findPack(objects, id),
    async close() {
      isStopping = true;
      await running;
    },
  };
}
