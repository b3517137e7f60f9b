// The command `audit` on an embedded database and an archive, as auditors use it.
import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openKeyFile } from '../../src/adapters/keys/key-file.ts';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import { auditCommand } from '../../src/cli/audit.ts';
import { parseCommand } from '../../src/cli/command.ts';
import { appendAudit } from '../../src/records/audit/append.ts';
import { signNewest } from '../../src/records/audit/heads.ts';
import { openSigningKey } from '../../src/records/audit/keys.ts';
import { sealedByMasterKeys } from '../../src/records/audit/master-key-sealing.ts';
import { openRecordStore, type RecordStore } from '../../src/records/record-store.ts';
import { draftNumber, NOON_MS } from './memory-audit.ts';

const DAY_MS = 86_400_000;
const NOW_MS = NOON_MS + 400 * DAY_MS;
const hasOpenssl = (() => {
  try {
    return execFileSync('openssl', ['version'], { encoding: 'utf8' }).startsWith('OpenSSL 3');
  } catch {
    return false;
  }
})();

let folder: string;

async function inStore(work: (store: RecordStore) => Promise<void>): Promise<void> {
  const database = await openPglite({ folder: join(folder, 'data', 'records'), onRecovery: () => undefined });
  const store = await openRecordStore(database);
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

async function run(line: string): Promise<{ text: string; error: string | null }> {
  let text = '';
  const words = line.split(' ').map((word) => word.replace('%', folder));
  const { positional, options } = parseCommand(auditCommand, words);
  const out = (more: string) => {
    text += more;
  };
  const context = { out, log: () => undefined, terminal: false, nowMs: () => NOW_MS };
  try {
    await auditCommand.run(positional, options, context);
    return { text, error: null };
  } catch (error) {
    return { text, error: (error as Error).message };
  }
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'centinela-audit-'));
  const masters = await openKeyFile(join(folder, 'master.key'), { mayCreate: true });
  await inStore(async (store) => {
    const making = {
      ...{ sealing: sealedByMasterKeys(masters), nowMs: () => NOON_MS },
      randomBytes: (count: number) => new Uint8Array(count).fill(7),
    };
    const key = await openSigningKey(store, making);
    const drafts = Array.from({ length: 30 }, (_, i) => ({ ...draftNumber(i), atMs: NOON_MS + i * DAY_MS }));
    await store.transact((tx) => appendAudit(tx, drafts));
    await signNewest(store, key, NOON_MS + 30 * DAY_MS);
  });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

describe('centinela audit', () => {
  it('shows the keys, exports, prunes, and verifies both halves and that they fit', async () => {
    expect((await run('keys --data %/data --out %/keys.pem')).text).toContain('-----BEGIN PUBLIC KEY-----');
    const exported = await run(
      'export --data %/data --archive %/archive --master-keys %/master.key --older-than 380 --prune',
    );
    expect(exported).toMatchObject({ error: null });
    expect(exported.text).toContain('21 entries were removed from the database.');
    const verified = await run('verify --data %/data --archive %/archive --public-key %/keys.pem');
    expect(verified).toMatchObject({ error: null });
    expect(verified.text.match(/no breaks/g)).toHaveLength(2);
    expect(verified.text).toContain('database: 12 entries, 22 to 33');
    expect(verified.text).toContain('signed up to entry 33');
    const { text } = await run('verify --archive %/archive --json');
    expect(JSON.parse(text)).toMatchObject({ isWhole: true, reports: [{ entries: 21, isTrustGiven: false }] });
  });

  it('signs with a new key that the old one vouches for', async () => {
    expect(await run('keys --data %/data --rotate --master-keys %/master.key')).toMatchObject({ error: null });
  });

  it.runIf(hasOpenssl)('is verified by hand with openssl, as docs/audit.md says', async () => {
    const month = join(folder, 'archive', 'audit', '2026-01');
    const names = await readdir(month);
    const manifest = join(month, names.find((name) => name.endsWith('.manifest.json'))!);
    const signature = manifest.replace('.json', '.sig');
    const openssl = (file: string) =>
      promisify(execFile)('openssl', [
        ...['pkeyutl', '-verify', '-pubin', '-inkey', join(folder, 'keys.pem'), '-rawin'],
        ...['-in', file, '-sigfile', signature],
      ]);
    expect((await openssl(manifest)).stdout).toContain('Signature Verified Successfully');
    const changed = join(folder, 'changed.json');
    await writeFile(changed, `${await readFile(manifest, 'utf8')} `);
    await expect(openssl(changed)).rejects.toThrow();
    const { entries, lastHash } = JSON.parse(await readFile(manifest, 'utf8'));
    const file = await readFile(join(month, entries.file));
    expect(createHash('sha256').update(file).digest('hex')).toBe(entries.sha256);
    const lines = gunzipSync(file).toString('utf8').trimEnd().split('\n');
    expect(createHash('sha256').update(lines.at(-1)!).digest('hex')).toBe(lastHash);
  });

  it('fails with a line for each break, and says what to give where something is missing', async () => {
    await inStore((store) =>
      store.transact(async (tx) => {
        await tx.updateTable('audit_entries').set({ actor_id: 'u-9' }).where('sequence', '=', 25).execute();
        await tx.deleteFrom('audit_entries').where('sequence', '=', 28).execute();
      }),
    );
    const { text, error } = await run('verify --data %/data --public-key %/keys.pem');
    // Of the new key, which is trusted by the file of the first alone.
    expect(text).toContain('signed up to entry 34');
    expect(text).toContain('BREAK columns-differ: entry 25: actorId');
    expect(text).toContain('BREAK missing: entry 28 is missing');
    expect(error).toMatch('The audit is not what was written: database.');
    const wrong = `${'0'.repeat(63)}1`;
    const expected = await run(`verify --archive %/archive --expect 7:${wrong}`);
    expect(expected.text).toContain('BREAK head-differs: entry 7 is not the one that was written down elsewhere');
    expect((await run('verify')).error).toMatch('--archive PLACE');
    expect((await run('verify --archive %/archive --public-key %/none.pem')).error).toMatch('cannot be read');
    expect((await run('export --data %/data --archive %/archive')).error).toMatch('--master-keys PLACES');
    expect((await run('burn')).error).toMatch("there is no 'burn'");
  });
});
