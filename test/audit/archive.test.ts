// An archive that somebody changes: any byte of any file, any file.
import { describe, expect, it } from 'vitest';
import { monthOf, writePart } from '../../src/audit/archive-part.ts';
import { archiveAuditSource } from '../../src/audit/archive-source.ts';
import { type AuditEntry, chainEntries, START } from '../../src/audit/chain.ts';
import { signHead } from '../../src/audit/signing.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { createMemoryStore } from '../registry/memory-store.ts';
import { draftNumber, keyDraft, keyNumber, NOON_MS } from './memory-audit.ts';

const KEY = keyNumber(1);

/** Three parts of ten entries, each with a head in its middle. */
async function archive() {
  const drafts = Array.from({ length: 30 }, (_, i) => (i === 0 ? keyDraft(KEY, null, NOON_MS) : draftNumber(i)));
  const entries = chainEntries(drafts, START);
  const objects = createMemoryStore();
  for (const from of [0, 10, 20]) {
    const some = entries.slice(from, from + 10);
    const contents = {
      ...{ month: monthOf(some[0].atMs), after: entries[from - 1] ?? START, last: some.at(-1) as AuditEntry },
      ...{ texts: some.map(({ text }) => text), heads: [signHead(KEY, some[4], NOON_MS)] },
    };
    await writePart(objects, contents, KEY, { atMs: NOON_MS, keepUntilMs: NOON_MS });
  }
  return objects;
}

const breaksOf = async (objects: Awaited<ReturnType<typeof archive>>, startsAt = 1) =>
  (await verifyAudit(archiveAuditSource(objects), { publicKeys: [KEY.publicKey], startsAt })).breaks;

describe('an archive', () => {
  it('verifies offline, and is refused with any bit of any file changed', async () => {
    const objects = await archive();
    expect(await breaksOf(objects)).toEqual([]);
    expect(objects.objects.size).toBe(12);
    const prng = createPrng(3);
    for (const [name, whole] of objects.objects) {
      const places = Array.from({ length: 20 }, () => Math.floor(prng.nextFloat() * whole.length));
      for (const place of [0, whole.length - 1, ...places]) {
        const bytes = whole.slice();
        bytes[place] ^= 1 << Math.floor(prng.nextFloat() * 8);
        objects.objects.set(name, bytes);
        expect((await breaksOf(objects)).length, `${name} at ${place}`).toBeGreaterThan(0);
      }
      objects.objects.set(name, whole);
    }
    expect(await breaksOf(objects)).toEqual([]);
  });

  it('tells which file is gone', async () => {
    const objects = await archive();
    for (const [name, bytes] of [...objects.objects]) {
      objects.objects.delete(name);
      const found = await breaksOf(objects);
      // Whether a last part is missing only the database knows, or whoever wrote the newest head down.
      const isEnd = name.includes('000000000021') && name.endsWith('.manifest.json');
      if (isEnd) expect(found).toEqual([]);
      else expect(found.length, name).toBeGreaterThan(0);
      objects.objects.set(name, bytes);
    }
    for (const name of [...objects.objects.keys()].slice(0, 4)) objects.objects.delete(name);
    expect((await breaksOf(objects)).map(({ kind, from, to }) => [kind, from, to])).toEqual([['missing', 1, 10]]);
    expect(await breaksOf(objects, 11)).toEqual([]);
  });

  it('tells the place of an entry that was changed together with its file and manifest, but not signed', async () => {
    const objects = await archive();
    const other = createMemoryStore();
    const stranger = keyNumber(9);
    const entries = chainEntries([{ ...draftNumber(1), detail: {} }], START);
    const contents = { month: '2026-01', after: START, last: entries[0], texts: [entries[0].text], heads: [] };
    await writePart(other, contents, stranger, { atMs: NOON_MS, keepUntilMs: NOON_MS });
    for (const name of [...objects.objects.keys()].slice(0, 4)) objects.objects.delete(name);
    for (const [name, bytes] of other.objects) objects.objects.set(name, bytes);
    const kinds = (await breaksOf(objects)).map(({ kind, from }) => `${kind} ${from}`);
    expect(kinds).toEqual(['key-unknown 1', 'missing 2']);
  });
});
