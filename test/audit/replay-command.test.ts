// The command `audit replay` on what a service has left in its folder.
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { openKeyFile } from '../../src/adapters/keys/key-file.ts';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import type { ChainPoint } from '../../src/audit/chain.ts';
import type { AuditEntryDraft } from '../../src/audit/entry.ts';
import { auditCommand } from '../../src/cli/audit.ts';
import { parseCommand } from '../../src/cli/command.ts';
import { keepPack } from '../../src/jobs/evidence/evidence-store.ts';
import { bytesOfEvidence, type Evidence, evidenceHash } from '../../src/pipeline/evidence/evidence.ts';
import { signNewest } from '../../src/records/audit/heads.ts';
import { heldEntry } from '../../src/records/audit/held-entry.ts';
import { keyInUse } from '../../src/records/audit/keys.ts';
import { sealedByMasterKeys } from '../../src/records/audit/master-key-sealing.ts';
import { openRecordStore, type RecordStore } from '../../src/records/record-store.ts';
import { followSignedHead } from '../../src/roles/service/signed-head.ts';
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

const ENTRY: AuditEntryDraft = {
  ...{ atMs: 1_768_496_402_000, actor: { kind: 'system', id: 'test', name: 'test' }, action: 'test.begun' },
  ...{ subject: null, address: null, detail: {} },
};

/** Of the audit once it was signed, as the service follows it. */
async function signedHead(records: RecordStore, append: () => Promise<unknown>): Promise<ChainPoint> {
  const raise = (error: Error) => {
    throw error;
  };
  const followed = await followSignedHead(records, raise, 5);
  expect(followed.current()).toBeNull();
  await append();
  const masters = await openKeyFile(join(folder, 'master.key'), { mayCreate: false });
  const making = { sealing: sealedByMasterKeys(masters), nowMs: Date.now, randomBytes };
  await signNewest(records, await keyInUse(records, making)(), Date.now());
  while (followed.current() === null) await new Promise((resolve) => setTimeout(resolve, 5));
  followed.close();
  const signed = followed.current()!;
  expect(await heldEntry(records.db, signed)).toBe('same');
  return signed;
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'centinela-replay-'));
  const masters = await openKeyFile(join(folder, 'master.key'), { mayCreate: true });
  const database = await openPglite({ folder: join(folder, 'data', 'records'), onRecovery: () => undefined });
  const records = await openRecordStore(database);
  const logger = createLogger('error', () => undefined);
  const vault = await openVault({ records, masters, provider: null, logger, nowMs: Date.now });
  const objects = createFolderObjectStore(join(folder, 'data', 'objects'));
  const transactions = simulate(20, 3, 5)
    .slice(0, 60)
    .map((transaction, n) => ({ ...transaction, authExemption: n % 3 === 0 ? 'trusted-payee' : null }));
  const signed = await signedHead(records, () => vault.trail.record([ENTRY]));
  const log = await decideStream(transactions, {
    ...{ vault, models: createMemoryStore(), objects, model: null, signedHead: signed },
  });
  const kept = await log.read({ topic: TOPICS.evidence, partition: 0, offset: 0 }, 1000, 0);
  packs = kept.map(({ value }) => JSON.parse(Buffer.from(value!).toString('utf8')) as Evidence);
  for (const pack of packs) await keepPack(objects, pack.id, bytesOfEvidence(pack));
  await vault.close();
  await records.close();
}, 60_000);

afterAll(() => rm(folder, { recursive: true, force: true }));

const PLACES = '--data %/data --master-keys %/master.key --registry %/registry';

it('names the exemption that was used and how far the audit was signed, and finds where either is another', async () => {
  expect(packs.map(({ exemption }) => exemption)).toEqual(packs.map((_, n) => (n % 3 === 0 ? 'trusted-payee' : null)));
  const [pack] = packs;
  const { auditHead } = pack;
  expect(packs.every((each) => each.auditHead?.hash === auditHead!.hash)).toBe(true);
  const differenceOf = async (changed: Partial<Evidence>) => {
    await writeFile(join(folder, 'other.json'), bytesOfEvidence({ ...pack, ...changed }));
    return JSON.parse((await run(`replay %/other.json ${PLACES} --json`)).text).other[0].difference;
  };
  expect(await differenceOf({ exemption: null })).toEqual({
    what: 'exemption',
    recorded: 'null',
    now: 'trusted-payee',
  });
  const { sequence, hash } = auditHead!;
  const rewritten = '0'.repeat(64);
  expect(await differenceOf({ auditHead: { sequence, hash: rewritten } })).toEqual({
    ...{ what: 'auditHead', recorded: `${sequence}:${rewritten}`, now: `${sequence}:${hash}` },
  });
  expect(await differenceOf({ auditHead: { sequence: 9999, hash } })).toMatchObject({ now: 'not in the audit' });
}, 60_000);

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
