// A worker that decides a stream in memory and makes evidence of every decision, as the service's own does.
import { decodeControl, decodeLabel } from '../../src/adapters/formats/stream-values.ts';
import { decodeJsonTransaction } from '../../src/adapters/formats/transaction-value.ts';
import { createMemoryLog, type MemoryLog } from '../../src/adapters/memory/memory-log.ts';
import type { ChainPoint } from '../../src/audit/chain.ts';
import { detectorsHere } from '../../src/cli/detectors-here.ts';
import { BUILT_IN_RULES, readPlacedRules } from '../../src/cli/rule-files.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import { CATALOGUE_NAMES } from '../../src/features/catalogue/choose.ts';
import { type EvaluatedRules, NO_RULES } from '../../src/jobs/rules/rules-over-features.ts';
import { streamSetup } from '../../src/jobs/stream/stream-setup.ts';
import { modelHash } from '../../src/pipeline/evidence/model-hash.ts';
import { topicNames, topicSettings } from '../../src/pipeline/stream/topics.ts';
import type { ObjectStore } from '../../src/ports.ts';
import { loadModel } from '../../src/registry/model-store.ts';
import { evidencePacker } from '../../src/roles/service/evidence.ts';
import { openingDecoders } from '../../src/roles/service/sealed-values.ts';
import type { Vault } from '../../src/roles/service/vault.ts';
import { startWorker } from '../../src/roles/worker.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createMemoryStore } from '../registry/memory-store.ts';

export const TOPICS = topicNames();
export const known = detectorsHere();

export async function evaluatedRules(): Promise<EvaluatedRules> {
  const { rules: placed } = await readPlacedRules(BUILT_IN_RULES);
  return { ...NO_RULES, placed, detectors: known.map(({ name }) => name) };
}

export interface DecidingParts {
  readonly vault: Vault;
  readonly models: ObjectStore;
  readonly objects: ObjectStore;
  /** null: rules alone decide. */
  readonly model: string | null;
  readonly signedHead?: ChainPoint | null;
}

export async function decideStream(
  transactions: readonly Transaction[],
  { vault, models, objects, model, signedHead = null }: DecidingParts,
): Promise<MemoryLog> {
  const sleep = () => new Promise<void>((resolve) => setImmediate(resolve));
  const log = createMemoryLog({ now: Date.now, sleep, maxRecords: 100_000 });
  await log.createTopics(topicSettings(TOPICS, 1, 1));
  const record = { topic: TOPICS.transactions, partition: 0, key: null, headers: [], timestampMs: null };
  await log.append(transactions.map((each) => ({ ...record, value: Buffer.from(JSON.stringify(each)) })));
  const clear = { transaction: decodeJsonTransaction, label: decodeLabel, control: decodeControl };
  const load = (id: string) => loadModel(models, id, known);
  const stored = model === null ? null : await load(model);
  const setup = streamSetup({
    ...{ model: stored, rules: await evaluatedRules(), loadModel: load, evidence: 'all' },
    catalogue: stored === null ? CATALOGUE_NAMES[0] : null,
    decoders: openingDecoders(vault.codec, vault.keys, clear),
  });
  const worker = await startWorker({
    ...{ ...setup, log, topics: TOPICS, stages: null, ops: null, masters: null, checkpoints: createMemoryStore() },
    ...{ settings: { pollWaitMs: 1 }, logger: createLogger('error', () => undefined) },
    evidence: evidencePacker({
      ...{ sealing: vault, objects, modelHash: (id) => modelHash(models, id), program: 'test' },
      signedHead: () => signedHead,
    }),
  });
  const isDone = () => worker.positions().some(({ offset }) => offset === transactions.length);
  while (!isDone()) await new Promise((resolve) => setTimeout(resolve, 10));
  worker.stop();
  await worker.done;
  return log;
}
