// The adapters of master keys, all by the same checks, and what is special of each.
import { randomBytes } from 'node:crypto';
import { chmod, mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addKeyToFile, openKeyFile, removeKeyFromFile } from '../../src/adapters/keys/key-file.ts';
import { KmsMasterKeys, type KmsOptions } from '../../src/adapters/keys/kms-master-keys.ts';
import { createVariableMasterKeys } from '../../src/adapters/keys/variable-master-keys.ts';
import { openVaultMasterKeys, type VaultOptions } from '../../src/adapters/keys/vault-master-keys.ts';
import { KeysUnavailableError } from '../../src/lib/errors.ts';
import type { MasterKeys } from '../../src/ports.ts';
import { combineMasterKeys } from '../../src/privacy/master-keys.ts';
import {
  KMS_ACCESS,
  KMS_KEY,
  type SmallService,
  type SmallVault,
  startKms,
  startVault,
  VAULT_TOKEN,
} from './small-key-services.ts';

let folder: string;
let vault: SmallVault;
let kms: SmallService;
const asking = { firstRetryMs: 1, timeoutMs: 2000 };

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'centinela-keys-'));
  [vault, kms] = await Promise.all([startVault(), startKms()]);
});
afterAll(async () => {
  await Promise.all([vault.stop(), kms.stop(), rm(folder, { recursive: true })]);
});

const vaultOptions = (change: Partial<VaultOptions> = {}): VaultOptions => ({
  ...{ address: vault.address, mount: 'transit', keyName: 'centinela', namespace: null, asking },
  token: async () => `${VAULT_TOKEN}\n`,
  ...change,
});
const kmsOptions = (change: Partial<KmsOptions> = {}): KmsOptions => ({
  ...{ region: 'us-east-1', endpoint: kms.address, keyId: KMS_KEY, sessionToken: null, asking, ...KMS_ACCESS },
  ...change,
});
const variable = () => randomBytes(32).toString('base64');

const adapters: Readonly<Record<string, () => Promise<MasterKeys>>> = {
  'a key file': () => openKeyFile(join(folder, 'master.key'), { mayCreate: true }),
  'a variable': async () => createVariableMasterKeys(variable()),
  Vault: () => openVaultMasterKeys(vaultOptions()),
  KMS: async () => new KmsMasterKeys(kmsOptions()),
};

describe.each(Object.entries(adapters))('master keys in %s', (_, open) => {
  it('wrap and open many, each as what it is, and under their id alone', async () => {
    const masters = await open();
    const keys = Array.from({ length: 300 }, (_, index) => ({ bytes: randomBytes(32), context: `data-key/${index}` }));
    const wrapped = await masters.wrap(keys);
    for (const [index, bytes] of wrapped.entries()) {
      expect(Buffer.from(bytes).includes(keys[index].bytes)).toBe(false);
    }
    const requests = wrapped.map((bytes, index) => ({ bytes, context: keys[index].context }));
    const opened = await masters.unwrap(masters.currentId, requests);
    expect(opened.map((bytes) => Buffer.from(bytes).toString('hex'))).toEqual(
      keys.map(({ bytes }) => bytes.toString('hex')),
    );
    const exchanged = { bytes: wrapped[0], context: 'data-key/1' };
    await expect(masters.unwrap(masters.currentId, [exchanged])).rejects.toMatchObject({ code: 'MASTER_KEY_REFUSED' });
    const changed = Uint8Array.from(wrapped[0]);
    changed[changed.length - 3] ^= 1;
    await expect(masters.unwrap(masters.currentId, [{ bytes: changed, context: 'data-key/0' }])).rejects.toMatchObject({
      code: 'MASTER_KEY_REFUSED',
    });
    expect(masters.opens(masters.currentId)).toBe(true);
    expect(masters.opens('other:1')).toBe(false);
    expect(await masters.wrap([])).toEqual([]);
  });
});

describe('a key file', () => {
  it('is made on the first start for its owner alone, and read on the next', async () => {
    const path = join(folder, 'first.key');
    await expect(openKeyFile(path, { mayCreate: false })).rejects.toMatchObject({ code: 'KEY_FILE_MISSING' });
    const [one, two] = await Promise.all([1, 2].map(() => openKeyFile(path, { mayCreate: true })));
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    expect(two.currentId).toBe(one.currentId);
    expect((await openKeyFile(path, { mayCreate: false })).currentId).toBe(one.currentId);
  });

  it('is refused where others may read it, through a link, or with something else in it', async () => {
    const path = join(folder, 'open.key');
    await openKeyFile(path, { mayCreate: true });
    for (const mode of [0o640, 0o604, 0o660, 0o601]) {
      await chmod(path, mode);
      await expect(openKeyFile(path, { mayCreate: true })).rejects.toMatchObject({ code: 'KEY_FILE_OPEN_TO_OTHERS' });
    }
    await chmod(path, 0o600);
    await symlink(path, join(folder, 'link.key'));
    await expect(openKeyFile(join(folder, 'link.key'), { mayCreate: true })).rejects.toMatchObject({
      code: 'KEY_FILE_UNREADABLE',
    });
    for (const text of ['', 'secreto', `${variable()}x`]) {
      await writeFile(path, text);
      const refused = await openKeyFile(path, { mayCreate: true }).catch((error: Error) => error);
      expect(refused).toMatchObject({ code: 'MASTER_KEY_INVALID' });
      if (text !== '') expect((refused as Error).message).not.toContain(text);
    }
  });

  it('takes a new key before the old one, which still opens until it is taken out', async () => {
    const path = join(folder, 'rotated.key');
    const old = await openKeyFile(path, { mayCreate: true });
    const [wrapped] = await old.wrap([{ bytes: Buffer.from('k'.repeat(32)), context: 'c' }]);
    await addKeyToFile(path);
    const both = await openKeyFile(path, { mayCreate: false });
    expect(both.currentId).not.toBe(old.currentId);
    const [opened] = await both.unwrap(old.currentId, [{ bytes: wrapped, context: 'c' }]);
    expect(Buffer.from(opened).toString()).toBe('k'.repeat(32));
    await expect(removeKeyFromFile(path, both.currentId)).rejects.toMatchObject({ code: 'MASTER_KEY_KEPT' });
    await removeKeyFromFile(path, old.currentId);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
    const left = await openKeyFile(path, { mayCreate: false });
    expect([left.opens(both.currentId), left.opens(old.currentId)]).toEqual([true, false]);
    expect((await readFile(path, 'utf8')).split('\n').filter((line) => /^[^#]/.test(line))).toHaveLength(1);
  });
});

describe('a variable', () => {
  it('takes several keys, and never repeats what it is given', () => {
    const [one, two] = [variable(), variable()];
    const masters = createVariableMasterKeys(`${one}, ${two}`);
    expect(masters.opens(createVariableMasterKeys(two).currentId)).toBe(true);
    expect(masters.currentId).toBe(createVariableMasterKeys(one).currentId);
    for (const wrong of ['', 'abc', `${one},`, `${one},${one}`, randomBytes(31).toString('base64')]) {
      const error = thrownBy(() => createVariableMasterKeys(wrong));
      expect(error).toMatchObject({ code: 'MASTER_KEY_INVALID' });
      expect(error?.message).not.toContain(one);
    }
  });
});

describe('Vault', () => {
  it('is asked once for many', async () => {
    vault.batches.length = 0;
    const masters = await openVaultMasterKeys(vaultOptions());
    await masters.wrap(Array.from({ length: 600 }, () => ({ bytes: randomBytes(32), context: 'c' })));
    expect(vault.batches).toEqual([250, 250, 100]);
  });

  it('goes on with its versions: the newest wraps, the older ones open for as long as Vault lets them', async () => {
    const before = await openVaultMasterKeys(vaultOptions());
    const [wrapped] = await before.wrap([{ bytes: Buffer.from('k'), context: 'c' }]);
    vault.rotate();
    const after = await openVaultMasterKeys(vaultOptions());
    expect(after.currentId).toBe(before.currentId.replace(/\d+$/, (version) => String(Number(version) + 1)));
    expect(after.opens(before.currentId)).toBe(true);
    expect(Buffer.from((await after.unwrap(before.currentId, [{ bytes: wrapped, context: 'c' }]))[0]).toString()).toBe(
      'k',
    );
    vault.leastVersion = 2;
    await expect(after.unwrap(before.currentId, [{ bytes: wrapped, context: 'c' }])).rejects.toMatchObject({
      code: 'MASTER_KEY_REFUSED',
    });
    vault.leastVersion = 1;
  });

  it('is tried again while it is busy or sealed, and then said not to answer', async () => {
    const masters = await openVaultMasterKeys(vaultOptions());
    vault.troubles.push(503, 429, 0);
    expect(await masters.wrap([{ bytes: randomBytes(32), context: 'c' }])).toHaveLength(1);
    vault.troubles.push(503, 500, 473, 412);
    const error = await masters.wrap([{ bytes: randomBytes(32), context: 'c' }]).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(KeysUnavailableError);
    expect(vault.troubles).toEqual([]);
  });

  it('is refused with a wrong token, another type of key, and without TLS', async () => {
    const foreign = vaultOptions({ token: async () => 'another' });
    await expect(openVaultMasterKeys(foreign)).rejects.toMatchObject({ code: 'MASTER_KEY_REFUSED' });
    const other = await startVault('rsa-4096');
    await expect(openVaultMasterKeys(vaultOptions({ address: other.address }))).rejects.toMatchObject({
      code: 'VAULT_KEY_INVALID',
    });
    await other.stop();
    for (const address of ['http://vault.example:8200', 'ftp://127.0.0.1', 'vault', 'https://user:pw@vault.example']) {
      await expect(openVaultMasterKeys(vaultOptions({ address }))).rejects.toMatchObject({
        code: 'KEY_SERVICE_ADDRESS',
      });
    }
    await expect(openVaultMasterKeys(vaultOptions({ keyName: '../sys/seal' }))).rejects.toMatchObject({
      code: 'VAULT_KEY_INVALID',
    });
  });
});

describe('KMS', () => {
  it('refuses what is not signed with the right secret', async () => {
    const masters = new KmsMasterKeys(kmsOptions({ secretAccessKey: 'another' }));
    await expect(masters.wrap([{ bytes: randomBytes(32), context: 'c' }])).rejects.toMatchObject({
      ...{ code: 'MASTER_KEY_REFUSED', message: expect.stringContaining('IncompleteSignatureException') },
    });
  });

  it('is tried again while it does not answer, and takes no alias', async () => {
    const masters = new KmsMasterKeys(kmsOptions());
    kms.troubles.push(500, 429, 0);
    expect(await masters.wrap([{ bytes: randomBytes(32), context: 'c' }])).toHaveLength(1);
    const away = new KmsMasterKeys(kmsOptions({ endpoint: 'http://127.0.0.1:9' }));
    expect(await away.wrap([{ bytes: randomBytes(32), context: 'c' }]).catch((e: unknown) => e)).toBeInstanceOf(
      KeysUnavailableError,
    );
    expect(() => new KmsMasterKeys(kmsOptions({ keyId: 'alias/centinela' }))).toThrow('not named by its id');
  });
});

it('masters of different kinds together: the first wraps, all open', async () => {
  const [file, kmsMasters] = [await adapters['a key file'](), await adapters.KMS()];
  const [old] = await file.wrap([{ bytes: Buffer.from('k'), context: 'c' }]);
  const both = combineMasterKeys(kmsMasters, [file]);
  expect(both.currentId).toBe(kmsMasters.currentId);
  expect(both.opens(file.currentId)).toBe(true);
  expect(Buffer.from((await both.unwrap(file.currentId, [{ bytes: old, context: 'c' }]))[0]).toString()).toBe('k');
});

function thrownBy(run: () => unknown): Error | null {
  try {
    run();
    return null;
  } catch (error) {
    return error as Error;
  }
}
