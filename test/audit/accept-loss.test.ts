// The command `audit accept-loss` on what a service has left: histories of lists (sealed) and of rules of which a part is gone.
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { openKeyFile } from '../../src/adapters/keys/key-file.ts';
import { openPglite } from '../../src/adapters/pglite/open-pglite.ts';
import { auditCommand } from '../../src/cli/audit.ts';
import { parseCommand } from '../../src/cli/command.ts';
import { BookAudit } from '../../src/jobs/books/book-audit.ts';
import { LiveLists } from '../../src/jobs/stream/live-lists.ts';
import { appendAudit, lockAudit } from '../../src/records/audit/append.ts';
import { listAudit } from '../../src/records/audit/list.ts';
import type { BookName } from '../../src/records/books/audited.ts';
import { openRecordStore, type RecordStore } from '../../src/records/record-store.ts';
import { type HistoryEntry, openHistory } from '../../src/registry/history.ts';
import { type ListBook, openListBook } from '../../src/registry/list-book.ts';
import { sealedObjects } from '../../src/roles/service/sealed-objects.ts';
import { openVault, type Vault } from '../../src/roles/service/vault.ts';
import { createLogger } from '../../src/telemetry/logger.ts';

const PLACES = '--data %/data --master-keys %/master.key --registry %/registry';
const details = { source: 'x', untilMs: null };
const act = (atMs: number) => ({ by: 'Ana', why: 'caso', atMs });
let folder: string;

async function run(line: string) {
  let text = '';
  // A reason may have several words.
  const words = `${line} ${PLACES}`.split(' ').map((word) => word.replace('%', folder).replaceAll('_', ' '));
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

interface Service {
  readonly records: RecordStore;
  readonly vault: Vault;
  readonly lists: ListBook;
  audit(book: BookName): BookAudit<unknown>;
}

/** As the service has them open, one after another. */
async function inService<Result>(work: (service: Service) => Promise<Result>): Promise<Result> {
  const masters = await openKeyFile(join(folder, 'master.key'), { mayCreate: true });
  const database = await openPglite({ folder: join(folder, 'data', 'records'), onRecovery: () => undefined });
  const records = await openRecordStore(database);
  const logger = createLogger('error', () => undefined);
  const vault = await openVault({ records, masters, provider: null, logger, nowMs: Date.now });
  const registry = createFolderObjectStore(join(folder, 'registry'));
  const lists = openListBook(sealedObjects(registry, vault));
  const histories: Readonly<Record<BookName, () => Promise<readonly HistoryEntry<unknown>[]>>> = {
    lists: () => lists.history(),
    rules: () => openHistory<unknown>(registry, 'rules/history').read(),
  };
  try {
    const audit = (book: BookName) =>
      new BookAudit<unknown>({
        ...{ records, book, begin: lockAudit, record: appendAudit, history: histories[book] },
        tell: () => ({ action: `${book.slice(0, -1)}.changed`, subject: { kind: book, id: 'x' }, detail: {} }),
      });
    return await work({ records, vault, lists, audit });
  } finally {
    await vault.close();
    await records.close();
  }
}

const fileOf = (book: BookName, number: number) =>
  join(folder, 'registry', book, 'history', `${String(number).padStart(8, '0')}.json`);

async function changeRule(what: string): Promise<void> {
  const history = openHistory(createFolderObjectStore(join(folder, 'registry')), 'rules/history');
  await history.append(() => ({ by: 'Ana', why: '', event: { what } }), 100);
}

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'centinela-loss-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

it('a sealed history that is damaged in its middle: told, accepted once, audited, and gone on with', async () => {
  const lost = await inService(async ({ lists, audit }) => {
    for (let n = 1; n <= 4; n++) await lists.add('bloqueados', `D-${n}`, details, act(n));
    await audit('lists').sweep();
    return (await lists.history()).at(-1)!;
  });
  const damaged = await readFile(fileOf('lists', 3));
  damaged[damaged.length - 1] ^= 1;
  await writeFile(fileOf('lists', 3), damaged);
  const asked = await run('accept-loss lists');
  expect(asked.code).toBe(null);
  for (const told of ['up to entry 4', 'Lost: 2 entries (3 to 4)', 'Kept: 2 entries', '--keep 2'])
    expect(asked.text).toContain(told);
  expect((await run('accept-loss lists --keep 3 --by Ana --reason x')).code).toBe('LOSS_OTHER');
  const accepted = await run('accept-loss lists --keep 2 --by Ana --reason disco_roto,_DNI_10456789');
  expect(accepted).toMatchObject({ code: null, text: expect.stringContaining('is accepted') });
  expect((await run('accept-loss lists')).text).toContain('Nothing');

  await inService(async ({ records, vault, lists, audit }) => {
    expect((await vault.verifyAudit()).breaks).toEqual([]);
    const { entries } = await listAudit(records.db, { actionPrefix: 'list.history-loss-accepted' }, null, 10);
    expect(entries).toMatchObject([
      {
        actor: { kind: 'system', id: 'command-line', name: 'Ana' },
        detail: { auditedEntries: 4, auditedHash: lost.hash, keptEntries: 2, lostEntries: 2, setAside: 2 },
      },
    ]);
    expect(JSON.stringify(entries)).not.toContain('10456789');
    const next = await lists.add('bloqueados', 'D-5', details, act(9));
    expect(next.number).toBe(3);
    await audit('lists').sweep();
    expect(await audit('lists').missing()).toEqual([]);
    // What the stream says of lost entries is read as what was left.
    const live = new LiveLists(lists, (value) => value);
    const now = { transaction: { eventTimeMs: 10 } } as never;
    const at = async (entry: number, hash: string) => (await live.at({ entry, hash })).get('bloqueados')!;
    const before = await at(4, lost.hash);
    expect(['D-2', 'D-4', 'D-5'].map((value) => before.has(value, now))).toEqual([true, false, false]);
    expect((await at(3, next.hash)).has('D-5', now)).toBe(true);
    await expect(at(4, '0'.repeat(64))).rejects.toMatchObject({ code: 'LIST_ENTRY_UNKNOWN' });
  });
  const [aside] = await readdir(join(folder, 'registry', 'lists', 'lost-history'));
  expect(await readdir(join(folder, 'registry', 'lists', 'lost-history', aside))).toHaveLength(2);
}, 120_000);

it('an older copy that was gone on with: what the audit has not seen comes into it', async () => {
  for (const what of ['a', 'b', 'c']) await changeRule(what);
  await inService(({ audit }) => audit('rules').sweep());
  for (const number of [2, 3]) await rm(fileOf('rules', number));
  await changeRule('other');
  const asked = await run('accept-loss rules --json');
  expect(JSON.parse(asked.text)).toMatchObject({
    ...{ book: 'rules', isAccepted: false },
    loss: { audited: { number: 3 }, kept: { number: 1 }, unseen: 1, lost: [{ entry: 2 }, { entry: 3 }], loose: [] },
  });
  expect((await run('accept-loss rules --keep 2 --by Ana --reason copia')).code).toBe(null);
  await inService(async ({ records, audit }) => {
    await audit('rules').sweep();
    expect(await audit('rules').missing()).toEqual([]);
    const { entries } = await listAudit(records.db, { actionPrefix: 'rule.changed' }, null, 10);
    expect(entries.map(({ detail }) => detail.entry)).toEqual([2, 3, 2, 1]);
  });
}, 120_000);

it('all of it gone: the audit begins anew with it', async () => {
  await rm(join(folder, 'registry', 'rules', 'history'), { recursive: true });
  const asked = await run('accept-loss rules');
  expect(asked.text).toContain('has 0 entries');
  expect((await run('accept-loss rules --keep 0 --by Ana --reason copia')).code).toBe(null);
  await changeRule('first');
  await inService(async ({ audit }) => {
    expect(await audit('rules').missing()).toHaveLength(1);
  });
}, 120_000);

it('of nothing else', async () => {
  expect((await run('accept-loss models')).code).toContain('rules or lists');
});
