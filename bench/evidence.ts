// What the evidence of a decision costs: simulated transactions decided by the built-in rules over the whole catalogue, then
// packed as the service packs them (transaction sealed, features as their bytes, hashed). Processor time, one thread.
import { randomBytes } from 'node:crypto';
import { LocalMasterKeys } from '../src/adapters/keys/local-master-keys.ts';
import { createMemoryLog } from '../src/adapters/memory/memory-log.ts';
import { detectorsHere } from '../src/cli/detectors-here.ts';
import { BUILT_IN_RULES, readPlacedRules } from '../src/cli/rule-files.ts';
import { CATALOGUE_NAMES } from '../src/features/catalogue/choose.ts';
import { NO_RULES } from '../src/jobs/rules/rules-over-features.ts';
import { streamSetup } from '../src/jobs/stream/stream-setup.ts';
import type { ObjectStore } from '../src/ports.ts';
import { DataKeys, type StoredDataKey } from '../src/privacy/data-keys.ts';
import { TransactionCodec } from '../src/privacy/sealed-transaction.ts';
import { Tokens } from '../src/privacy/tokens.ts';
import { evidencePacker } from '../src/roles/service/evidence.ts';
import { createSimulator } from '../src/simulate/simulator.ts';

const ROWS = 10_000;
const ROUNDS = 5;

const stored: StoredDataKey[] = [];
const table = {
  newest: async () => [],
  find: async (ids: readonly string[]) => stored.filter(({ id }) => ids.includes(id)),
  add: async (keys: readonly StoredDataKey[]) => void stored.push(...keys),
  erasedSince: async () => [],
};
const keys = new DataKeys({ table, masters: new LocalMasterKeys('file', [randomBytes(32)]) });
const codec = new TransactionCodec(keys, new Tokens(randomBytes(32)));
const objects: ObjectStore = {
  ...{ put: async () => undefined, putNew: async () => true, get: async () => null },
  ...{ list: async () => [], remove: async () => undefined },
};
const transactions = [...createSimulator({ customers: 500, days: 6, seed: 1, startDate: '2026-01-05' }).batches()]
  .flat()
  .slice(0, ROWS)
  .map((transaction) => codec.withPublicIds(transaction));
const { rules: placed } = await readPlacedRules(BUILT_IN_RULES);
const log = createMemoryLog({ now: Date.now, maxRecords: ROWS });
await log.createTopics([{ name: 't', partitions: 1, retentionMs: null, compacted: false, replicas: 1 }]);
await log.append(
  transactions.map((_, index) => ({
    ...{ topic: 't', partition: 0, key: null, headers: [], timestampMs: null, value: Buffer.from(String(index)) },
  })),
);
const records = await log.read({ topic: 't', partition: 0, offset: 0 }, ROWS, 0);
const unused = () => {
  throw new Error('not needed');
};
const setup = streamSetup({
  ...{ model: null, catalogue: CATALOGUE_NAMES[0], loadModel: unused, evidence: 'all' },
  rules: { ...NO_RULES, placed, detectors: detectorsHere().map(({ name }) => name) },
  decoders: {
    ...{ label: unused, control: unused },
    transaction: (value) => transactions[Number(Buffer.from(value).toString())],
  },
});
const version = await setup.versions.initial(setup.setup.definitions);
const fold = setup.setup.createFold(setup.setup.createEngine(), null, 0);
const drafts: NonNullable<ReturnType<typeof fold.take>['decided'][number]['evidence']>[] = [];
for (let from = 0; from < records.length; from += 512) {
  for (const { evidence } of fold.take(records.slice(from, from + 512), version).decided) {
    if (evidence !== null) drafts.push(evidence);
  }
}
const pack = evidencePacker({
  ...{ sealing: { codec, keys }, objects, modelHash: async () => null, signedHead: () => null },
  program: 'bench',
});
const costs: number[] = [];
let bytes = 0;
for (let round = 0; round <= ROUNDS; round++) {
  bytes = 0;
  const before = process.cpuUsage();
  for (let i = 0; i < drafts.length; i++) bytes += (await pack(drafts[i], { partition: 0, offset: i })).bytes.length;
  const { user, system } = process.cpuUsage(before);
  // The first makes keys and warms up.
  if (round > 0) costs.push((user + system) / drafts.length);
}
costs.sort((a, b) => a - b);
const figures = {
  decisions: drafts.length,
  microsecondsPerDecision: Math.round(costs[ROUNDS >> 1] * 10) / 10,
  bytesPerDecision: Math.round(bytes / drafts.length),
};
process.stdout.write(`${JSON.stringify(figures)}\n`);
