import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { LocalMasterKeys } from '../../src/adapters/keys/local-master-keys.ts';
import type { MasterKeys } from '../../src/ports.ts';
import { DataKeys, KeysBusyError } from '../../src/privacy/data-keys.ts';
import { openBytes, sealBytes } from '../../src/privacy/envelope.ts';
import { MemoryKeyTable } from './memory-key-table.ts';

const place = { table: 't', row: 'r', field: 'f' };
const DAY_MS = 86_400_000;

function open(table = new MemoryKeyTable(), settings = {}, masters: MasterKeys = newMasters()) {
  return { table, masters, keys: new DataKeys({ table, masters, settings }) };
}

function newMasters(): MasterKeys {
  return new LocalMasterKeys('file', [randomBytes(32)]);
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `cli_${index}`);

describe('data keys', () => {
  it('makes the keys of all who ask in one turn by one insert, durable before they are given', async () => {
    const { table, keys } = open();
    const given = await Promise.all(
      names(50).map(async (subject) => {
        const key = (await keys.keysToSeal([subject, 'cli_0'], 1)).get(subject)!;
        expect(table.rows.has(key.id)).toBe(true);
        return key;
      }),
    );
    expect(new Set(given.map(({ id }) => id)).size).toBe(50);
    expect([table.inserts, table.reads]).toEqual([1, 1]);
    expect(keys.keyToSeal('cli_7', 1)).toBe(given[7]);
  });

  it('opens what another process sealed, and seals on with its key', async () => {
    const { table, keys, masters } = open();
    const key = (await keys.keysToSeal(['cli_1'], 1)).get('cli_1')!;
    const sealed = sealBytes(key, Buffer.from('hola'), place);
    const other = open(table, {}, masters).keys;
    const found = (await other.keysToOpen([key.id])).get(key.id)!;
    expect(found !== 'erased' && Buffer.from(openBytes(found, sealed, place)).toString()).toBe('hola');
    expect((await other.keysToSeal(['cli_1'], 2)).get('cli_1')!.id).toBe(key.id);
    expect(table.rows.size).toBe(1);
  });

  it('is not hurt by two processes that make a key for one subject at the same time', async () => {
    const { table, keys, masters } = open();
    table.pause = () => new Promise((resolve) => setTimeout(resolve, 5));
    const other = open(table, {}, masters).keys;
    const [one, two] = await Promise.all([keys.keysToSeal(['cli_1'], 1), other.keysToSeal(['cli_1'], 1)]);
    expect(table.rows.size).toBe(2);
    for (const key of [one.get('cli_1')!, two.get('cli_1')!]) {
      const sealed = sealBytes(key, Buffer.from('x'), place);
      for (const reader of [keys, other]) {
        const found = (await reader.keysToOpen([key.id])).get(key.id)!;
        expect(found !== 'erased' && Buffer.from(openBytes(found, sealed, place)).toString()).toBe('x');
      }
    }
  });

  it('follows a key by another once it has sealed for long, and opens with both', async () => {
    const { keys } = open(undefined, { sealsForMs: 10 * DAY_MS });
    const first = (await keys.keysToSeal(['cli_1'], 0)).get('cli_1')!;
    expect(keys.keyToSeal('cli_1', 10 * DAY_MS - 1)).toBe(first);
    expect(keys.keyToSeal('cli_1', 10 * DAY_MS)).toBeNull();
    const second = (await keys.keysToSeal(['cli_1'], 10 * DAY_MS)).get('cli_1')!;
    expect(second.id).not.toBe(first.id);
    expect((await keys.keysToOpen([first.id, second.id])).size).toBe(2);
  });

  it('keeps a bounded number of opened keys', async () => {
    const { keys } = open(undefined, { mostOpened: 100 });
    const all = await keys.keysToSeal(names(1500), 0);
    expect(all.size).toBe(1500);
    expect(keys.opened).toBeLessThanOrEqual(100);
    expect((await keys.keysToOpen([...all.values()].map(({ id }) => id))).size).toBe(1500);
  });

  it('turns away who asks while too many wait, and serves them later', async () => {
    const { table, keys } = open(undefined, { mostWaiting: 10 });
    table.pause = () => new Promise((resolve) => setTimeout(resolve, 5));
    const first = keys.keysToSeal(names(10), 0);
    await expect(keys.keysToSeal(['cli_new'], 0)).rejects.toThrow(KeysBusyError);
    expect((await first).size).toBe(10);
    expect((await keys.keysToSeal(['cli_new'], 0)).size).toBe(1);
  });

  it('gives no key that is not durable, tells everybody who waited, and tries again', async () => {
    const { table, keys } = open();
    const add = table.add.bind(table);
    table.add = () => Promise.reject(new Error('disk full'));
    const asked = await Promise.allSettled([keys.keysToSeal(['cli_1'], 0), keys.keysToSeal(['cli_1', 'cli_2'], 0)]);
    expect(asked.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(keys.keyToSeal('cli_1', 0)).toBeNull();
    table.add = add;
    expect((await keys.keysToSeal(['cli_1'], 0)).size).toBe(1);
  });

  it('says erased for what was destroyed, and missing for what nobody knows', async () => {
    const { table, keys } = open();
    const { id } = (await keys.keysToSeal(['cli_1'], 0)).get('cli_1')!;
    table.erase('cli_1', 5);
    keys.forget('cli_1');
    expect(keys.keyToOpen(id)).toBeNull();
    expect((await keys.keysToOpen([id])).get(id)).toBe('erased');
    expect(keys.keyToOpen(id)).toBe('erased');
    await expect(keys.keysToOpen(['f'.repeat(32)])).rejects.toMatchObject({ code: 'DATA_KEY_MISSING' });
    const next = (await keys.keysToSeal(['cli_1'], 6)).get('cli_1')!;
    expect(next.id).not.toBe(id);
  });

  it('forgets by refresh what another process destroyed, once', async () => {
    const { table, keys, masters } = open();
    const { id } = (await keys.keysToSeal(['cli_1', 'cli_2'], 0)).get('cli_1')!;
    await keys.refresh(1000);
    table.erase('cli_1', 2000);
    await keys.refresh(3000);
    expect(keys.keyToSeal('cli_1', 3000)).toBeNull();
    expect(keys.keyToSeal('cli_2', 3000)).not.toBeNull();
    expect((await keys.keysToOpen([id])).get(id)).toBe('erased');
    const next = (await open(table, {}, masters).keys.keysToSeal(['cli_1'], 4000)).get('cli_1')!;
    expect((await keys.keysToSeal(['cli_1'], 4000)).get('cli_1')!.id).toBe(next.id);
    await keys.refresh(5000);
    expect(keys.keyToSeal('cli_1', 5000)?.id).toBe(next.id);
  });

  it('does not keep what was read before it was told to forget', async () => {
    const { table, keys, masters } = open();
    const { id } = (await keys.keysToSeal(['cli_1'], 0)).get('cli_1')!;
    const other = open(table, {}, masters).keys;
    let go: () => void = () => undefined;
    table.pause = () =>
      new Promise((resolve) => {
        go = resolve;
      });
    const reading = other.keysToOpen([id]);
    table.erase('cli_1', 1);
    other.forget('cli_1');
    go();
    await reading;
    expect(other.keyToOpen(id)).toBeNull();
  });
});
