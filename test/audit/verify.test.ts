import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { chainEntries, readEntry } from '../../src/audit/chain.ts';
import { verifyAudit } from '../../src/audit/verify.ts';
import {
  draftNumber,
  keptEntry,
  keptHead,
  keyDraft,
  keyNumber,
  type MemoryAudit,
  memoryAudit,
  memorySource,
  NOON_MS,
} from './memory-audit.ts';

const KEYS = [keyNumber(1).publicKey];
const COUNT = 40;

async function kindsOf(audit: MemoryAudit, publicKeys: readonly string[] = KEYS): Promise<string[]> {
  const { breaks } = await verifyAudit(memorySource(audit), { publicKeys });
  return breaks.map(({ kind, from, to }) => `${kind} ${from === to ? from : `${from}-${to}`}`);
}

/** The entry's text and hash with other contents, as somebody would who knows how it is made. */
function forged(audit: MemoryAudit, sequence: number): void {
  const old = readEntry(audit.entries[sequence - 1].text)!;
  const [entry] = chainEntries([{ ...old, detail: { changed: true } }], { sequence: sequence - 1, hash: old.previous });
  audit.entries[sequence - 1] = keptEntry(entry);
}

/** All from the entry on written anew, so that the chain itself is whole. */
function rewritten(audit: MemoryAudit, from: number): void {
  const old = audit.entries.map(({ text }) => readEntry(text)!);
  const drafts = old.slice(from - 1).map((each, i) => (i === 0 ? { ...each, detail: { changed: true } } : each));
  const last = old[from - 2];
  const entries = chainEntries(
    drafts.map(({ atMs, actor, action, subject, detail, address }) => ({
      atMs,
      actor,
      action,
      subject,
      detail,
      address,
    })),
    last,
  );
  audit.entries.splice(from - 1, entries.length, ...entries.map(keptEntry));
  audit.end = entries.at(-1)!;
}

describe('verifying an audit', () => {
  it('finds nothing wrong with what nobody touched, also across a change of key', async () => {
    const audit = memoryAudit(COUNT, 10);
    const report = await verifyAudit(memorySource(audit), { publicKeys: KEYS });
    expect(report.breaks).toEqual([]);
    expect(report).toMatchObject({ entries: COUNT, first: 1, unsigned: 0, isTrustGiven: true });
    expect(report.signed).toMatchObject({ sequence: COUNT, keyId: keyNumber(2).keyId });
    expect(report.keys.map(({ isTrusted }) => isTrusted)).toEqual([true, true]);
    expect(await kindsOf(audit, [])).toEqual([]);
  });

  it('takes the newest key alone for enough: what the older one signed is covered by it', async () => {
    expect(await kindsOf(memoryAudit(COUNT, 10), [keyNumber(2).publicKey])).toEqual([]);
  });

  it.each<[string, (audit: MemoryAudit) => void, string[]]>([
    [
      'a changed text',
      (a) => {
        a.entries[6] = { ...a.entries[6], text: a.entries[6].text.replace('ñ', 'n') };
      },
      ['entry-changed 7'],
    ],
    [
      'a changed hash',
      (a) => {
        a.entries[6] = { ...a.entries[6], hash: 'f'.repeat(64) };
      },
      ['entry-changed 7'],
    ],
    ['an entry forged with its hash', (a) => forged(a, 7), ['link-broken 7-8']],
    [
      'a changed column',
      (a) => {
        a.entries[6] = { ...a.entries[6], columns: { ...a.entries[6].columns, actorId: 'u-9' } };
      },
      ['columns-differ 7'],
    ],
    ['one entry taken out', (a) => void a.entries.splice(6, 1), ['missing 7']],
    ['several taken out', (a) => void a.entries.splice(6, 9), ['missing 7-15']],
    ['the first taken out', (a) => void a.entries.splice(0, 3), ['missing 1-3']],
    ['two exchanged', (a) => void a.entries.splice(6, 2, a.entries[7], a.entries[6]), ['reordered 7']],
    ['one that comes twice', (a) => void a.entries.splice(7, 0, a.entries[6]), ['repeated 7']],
    ['the end cut off', (a) => void a.entries.splice(33), ['truncated 34-40']],
    [
      'the end cut off with its head rows',
      (a) => {
        a.entries.splice(33);
        a.seals.pop();
      },
      ['truncated 34-40'],
    ],
    [
      'a signature that was changed',
      (a) => {
        a.seals[1] = { ...a.seals[1], signature: a.seals[0].signature };
      },
      ['signature-wrong 20'],
    ],
    ['all from an entry on written anew', (a) => rewritten(a, 33), ['head-differs 40']],
    [
      'all from an entry on written anew, before more heads',
      (a) => rewritten(a, 15),
      ['head-differs 20', 'head-differs 30', 'head-differs 40'],
    ],
    ['heads taken out', (a) => void a.seals.splice(0), ['unsigned null']],
    [
      'the end that is kept changed',
      (a) => {
        a.end = { sequence: 39, hash: 'a'.repeat(64) };
      },
      ['end-differs 39-40'],
    ],
    [
      'the end that is kept taken out',
      (a) => {
        a.end = 'gone';
      },
      ['end-differs 40-null'],
    ],
  ])('tells %s and where it is', async (_, change, expected) => {
    const audit = memoryAudit(COUNT, 10);
    change(audit);
    expect(await kindsOf(audit)).toEqual(expected);
  });

  it('tells a fork, whichever branch goes on', async () => {
    const audit = memoryAudit(COUNT, 10);
    const old = readEntry(audit.entries[6].text)!;
    const [other] = chainEntries([draftNumber(99)], { sequence: 6, hash: old.previous });
    audit.entries.splice(6, 0, keptEntry(other));
    expect(await kindsOf(audit)).toEqual(['forked 7']);
    audit.entries.splice(6, 2, audit.entries[7], keptEntry(other));
    expect(await kindsOf(audit)).toEqual(['forked 7']);
  });

  it('does not believe a key because it stands in the chain', async () => {
    const audit = memoryAudit(COUNT, 10);
    const stranger = keyNumber(9);
    const last = readEntry(audit.entries.at(-1)!.text)!;
    const [entry] = chainEntries([keyDraft(stranger, null, NOON_MS)], last);
    audit.entries.push(keptEntry(entry));
    audit.end = entry;
    expect(await kindsOf(audit)).toEqual(['key-unknown 41']);
    audit.seals.push(keptHead(stranger, entry, NOON_MS));
    expect(await kindsOf(audit)).toEqual(['key-unknown 41']);
    expect(await kindsOf(audit, [])).toEqual(['key-unknown 41']);
  });

  it('tells heads of a key that is nowhere', async () => {
    const audit = memoryAudit(COUNT, 10);
    audit.seals.push(keptHead(keyNumber(9), readEntry(audit.entries[39].text)!, NOON_MS));
    expect(await kindsOf(audit)).toEqual(['key-unknown 40']);
  });

  it('compares with what was written down elsewhere', async () => {
    const audit = memoryAudit(COUNT, 10);
    const expected = [{ sequence: 35, hash: readEntry(audit.entries[34].text)!.hash }];
    rewritten(audit, 34);
    audit.seals.pop();
    expect(await kindsOf(audit)).toEqual([]);
    const { breaks } = await verifyAudit(memorySource(audit), { publicKeys: KEYS, expected });
    expect(breaks.map(({ kind, from }) => [kind, from])).toEqual([['head-differs', 35]]);
  });

  it('tells no more breaks than asked for, and counts the others', async () => {
    const audit = memoryAudit(COUNT, 10);
    audit.entries = audit.entries.map((each) => ({ ...each, hash: 'f'.repeat(64) }));
    const report = await verifyAudit(memorySource(audit), { publicKeys: KEYS, mostBreaks: 5 });
    expect([report.breaks.length, report.moreBreaks]).toEqual([5, COUNT - 5]);
  });

  it('finds every entry that is taken out, whichever and however many', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(fc.integer({ min: 0, max: COUNT - 1 }), { minLength: 1 }), async (gone) => {
        const audit = memoryAudit(COUNT, 10);
        audit.entries = audit.entries.filter((_, i) => !gone.includes(i));
        const { breaks } = await verifyAudit(memorySource(audit), { publicKeys: KEYS });
        const told = breaks.filter(({ kind }) => kind === 'missing' || kind === 'truncated');
        const covered = new Set(
          told.flatMap(({ from, to }) => Array.from({ length: to! - from! + 1 }, (_, i) => from! + i)),
        );
        expect([...covered].sort((a, b) => a - b)).toEqual(gone.map((i) => i + 1).sort((a, b) => a - b));
      }),
      { numRuns: 60 },
    );
  });

  it('finds entries in any other order', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.shuffledSubarray(
          Array.from({ length: 20 }, (_, i) => i),
          { minLength: 20 },
        ),
        async (order) => {
          const audit = memoryAudit(20, 10);
          const isSorted = order.every((each, i) => each === i);
          audit.entries = order.map((i) => audit.entries[i]);
          const kinds = await kindsOf(audit);
          expect(kinds.some((kind) => kind.startsWith('reordered'))).toBe(!isSorted);
          expect(kinds.some((kind) => kind.startsWith('missing'))).toBe(false);
        },
      ),
      { numRuns: 60 },
    );
  });
});
