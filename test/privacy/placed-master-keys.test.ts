// Master keys as the command line names them: moved from a file to Vault and on to KMS, and what is told where one is away.
import { mkdirSync } from 'node:fs';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { decodeControl, decodeLabel } from '../../src/adapters/formats/stream-values.ts';
import { decodeJsonTransaction, transactionOf } from '../../src/adapters/formats/transaction-value.ts';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import { openMasterKeys } from '../../src/cli/master-keys.ts';
import type { RecordDecoders } from '../../src/pipeline/stream/partition-fold.ts';
import { openRecordStore } from '../../src/records/record-store.ts';
import { openingDecoders } from '../../src/roles/service/sealed-values.ts';
import { openSealing, type Sealing } from '../../src/roles/service/sealing.ts';
import { centinelaHere, type TemporaryFolder, temporaryFolder } from '../command-line/run-program.ts';
import {
  KMS_ACCESS,
  KMS_KEY,
  type SmallService,
  type SmallVault,
  startKms,
  startVault,
  VAULT_TOKEN,
} from './small-key-services.ts';

const isLong = process.env.CENTINELA_LONG_TESTS === '1';

const VAULT = 'vault:transit/centinela';
const KMS = `kms:${KMS_KEY}`;
const TRANSACTION = transactionOf({
  ...{ id: 'T1', eventTimeMs: 1_790_000_000_000, amountMinor: 9_900, currency: 'PEN', operation: 'transfer' },
  ...{ channel: 'app', status: 'approved', payerId: 'C-77', payerName: 'Rosa Quispe Mamani', authFactors: [] },
});
const CLEAR: RecordDecoders = { transaction: decodeJsonTransaction, label: decodeLabel, control: decodeControl };

let folder: TemporaryFolder;
let vault: SmallVault;
let kms: SmallService;

beforeEach(async () => {
  folder = temporaryFolder();
  mkdirSync(folder.path('data'));
  [vault, kms] = await Promise.all([startVault(), startKms()]);
  for (const [name, value] of Object.entries({
    ...{ VAULT_ADDR: vault.address, VAULT_TOKEN, AWS_ENDPOINT_URL_KMS: kms.address, AWS_REGION: 'us-east-1' },
    ...{ AWS_ACCESS_KEY_ID: KMS_ACCESS.accessKeyId, AWS_SECRET_ACCESS_KEY: KMS_ACCESS.secretAccessKey },
  })) {
    vi.stubEnv(name, value);
  }
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all([vault.stop(), kms.stop()]);
  folder.remove();
});

/** As a service, or a worker of its own, opens them. */
async function withSealing<T>(places: string, work: (sealing: Sealing) => Promise<T>): Promise<T> {
  const masters = await openMasterKeys({ 'master-keys': places }, { file: null, mayCreate: true });
  const records = await openRecordStore(
    await openPglite({ folder: folder.path('data', 'records'), onRecovery: () => undefined }),
  );
  const sealing = await openSealing({ records, masters: masters!, nowMs: Date.now, onTrouble: () => undefined });
  try {
    return await work(sealing);
  } finally {
    sealing.close();
    await records.close();
  }
}

const nameIn = (sealed: Uint8Array) => async (sealing: Sealing) => {
  const decoders = openingDecoders(sealing.codec, sealing.keys, CLEAR);
  await decoders.prepare?.([sealed]);
  return decoders.transaction(sealed).payerName;
};

it.runIf(isLong)(
  'move from a file to Vault and on to KMS, and what was sealed before is read by whoever has the newest alone',
  async () => {
    const file = folder.path('master.key');
    const [sealed] = await withSealing(file, ({ codec }) => codec.sealAll([TRANSACTION], Date.now()));
    expect(new TextDecoder().decode(sealed)).not.toContain('Quispe');
    for (const [now, before] of [
      [VAULT, file],
      [KMS, VAULT],
    ]) {
      const moved = await centinelaHere(
        'keys',
        'rewrap',
        '--data',
        folder.path('data'),
        '--master-keys',
        `${now},${before}`,
        '--json',
      );
      expect(moved.exitCode, moved.errors).toBe(0);
      expect(JSON.parse(moved.out).rewrapped).toBe(2);
      expect(await withSealing(now, nameIn(sealed))).toBe('Rosa Quispe Mamani');
    }
    const listed = await centinelaHere('keys', 'list', '--data', folder.path('data'));
    expect(listed.out).toMatch(/kms:1234abcd\S+ .*1 +1\n/);
    await expect(withSealing(file, nameIn(sealed))).rejects.toMatchObject({ code: 'MASTER_KEY_MISSING' });
  },
  120_000,
);

it('say what is away, or missing, in one line and before anything is opened', async () => {
  const serve = (places: string) =>
    centinelaHere('serve', '--data', folder.path('data'), '--port', '0', '--ops-port', '0', '--master-keys', places);
  const worker = (places: string) => centinelaHere('worker', '--log', folder.path('log'), '--master-keys', places);
  const told = async (outcome: ReturnType<typeof serve>) => {
    const { exitCode, errors } = await outcome;
    expect(exitCode, errors).toBe(1);
    expect(
      errors
        .trim()
        .split('\n')
        .filter((line) => line.startsWith('centinela:')),
    ).toHaveLength(1);
    return errors;
  };
  vi.stubEnv('VAULT_TOKEN', 'hvs.another');
  expect(await told(serve(VAULT))).toMatch(/the token is not valid/);
  vi.stubEnv('VAULT_TOKEN', '');
  expect(await told(serve(VAULT))).toMatch(/needs VAULT_TOKEN, which is not set/);
  vi.stubEnv('VAULT_ADDR', 'http://vault.banco.example:8200');
  expect(await told(worker(VAULT))).toMatch(/https/);
  expect(await told(serve('kms:alias/centinela'))).toMatch(/id or ARN/);
  expect(await told(serve('vault:centinela'))).toMatch(/names no master key/);
  vi.stubEnv('VAULT_ADDR', vault.address);
  vi.stubEnv('VAULT_TOKEN', VAULT_TOKEN);
  await vault.stop();
  expect(await told(serve(VAULT))).toMatch(/Vault, which has the master keys, does not answer/);
  await kms.stop();
  expect(await told(serve(KMS))).toMatch(/KMS, which has the master keys, does not answer/);
}, 120_000);
