// The command `audit replay` on what a service has left in its folder.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { openKeyFile } from '../../src/adapters/keys/key-file.ts';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import { auditCommand } from '../../src/cli/audit.ts';
import { parseCommand } from '../../src/cli/command.ts';
import { keepPack } from '../../src/jobs/evidence/evidence-store.ts';
import { bytesOfEvidence, type Evidence, evidenceHash } from '../../src/pipeline/evidence/evidence.ts';
import { openRecordStore } from '../../src/records/record-store.ts';
import { openVault } from '../../src/roles/service/vault.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { createMemoryStore } from '../registry/memory-store.ts';
import { simulate } from '../replay/simulated-reader.ts';
import { decideStream, TOPICS } from './decide-stream.ts';

let folder: string;
let packs: Evidence[];

async function run(line: string) {
  let text = '';
  const words = line.split(' ').map((word) => word.replace('%', folder));
  const { positional, options } = parseCommand(auditCommand, words);
  const out = (more: string) => {
    text += more;
  };
  const context = { out, log: () => undefined, terminal: false, nowMs: Date.now };
  try {
    await auditCommand.run(positional, options, context);
    return { text, code: null };
  } catch (error) {
    return { text, code: (error as { code?: string }).code ?? (error as Error).message };
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'centinela-replay-'));
  const masters = await openKeyFile(join(folder, 'master.key'), { mayCreate: true });
  const database = await openPglite({ folder: join(folder, 'data', 'records'), onRecovery: () => undefined });
  const records = await openRecordStore(database);
  const logger = createLogger('error', () => undefined);
  const vault = await openVault({ records, masters, provider: null, logger, nowMs: Date.now });
  const objects = createFolderObjectStore(join(folder, 'data', 'objects'));
  const transactions = simulate(20, 3, 5).slice(0, 60);
  const log = await decideStream(transactions, { vault, models: createMemoryStore(), objects, model: null });
  const kept = await log.read({ topic: TOPICS.evidence, partition: 0, offset: 0 }, 1000, 0);
  packs = kept.map(({ value }) => JSON.parse(Buffer.from(value!).toString('utf8')) as Evidence);
  for (const pack of packs) await keepPack(objects, pack.id, bytesOfEvidence(pack));
  await vault.close();
  await records.close();
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

const PLACES = '--data %/data --master-keys %/master.key --registry %/registry';

it('makes all that is kept again, and one by its id', async () => {
  const all = await run(`replay --all ${PLACES} --json`);
  expect(all.code).toBeNull();
  expect(JSON.parse(all.text)).toEqual({ packs: 60, same: 60, other: [] });
  const [{ id }] = packs;
  const named = `--sha256 ${evidenceHash(bytesOfEvidence(packs[0]))}`;
  expect(await run(`replay --id ${id} ${named} ${PLACES}`)).toEqual({
    text: `${id}: the same\n1 of 1 are the same to the bit.\n`,
    code: null,
  });
  expect((await run(`replay --id nothing ${PLACES}`)).code).toBe('EVIDENCE_MISSING');
}, 60_000);

it('says where one differs, and fails', async () => {
  const [pack, other] = packs;
  // As the service answers.
  await writeFile(join(folder, 'whole.json'), JSON.stringify({ sha256: '', evidence: pack }));
  expect((await run(`replay %/whole.json ${PLACES}`)).code).toBeNull();
  const { verdict } = pack;
  const riskBits = '3fe0000000000000';
  await writeFile(join(folder, 'changed.json'), bytesOfEvidence({ ...pack, verdict: { ...verdict, riskBits } }));
  const changed = await run(`replay %/changed.json ${PLACES} --json`);
  expect(changed.code).toBe('EVIDENCE_DIFFERS');
  const difference = { what: 'verdict.riskBits', recorded: riskBits, now: verdict.riskBits };
  expect(JSON.parse(changed.text)).toMatchObject({ same: 0, other: [{ id: pack.id, outcome: 'differs', difference }] });
  await writeFile(join(folder, 'foreign.json'), bytesOfEvidence({ ...pack, transaction: other.transaction }));
  expect((await run(`replay %/foreign.json ${PLACES}`)).text).toContain('ENVELOPE_BROKEN');
}, 60_000);
