// The audit as a running program has it: heads in time, entries that come together, views of personal data.
import { expect, it } from 'vitest';
import { VIEWED } from '../../src/audit/view-buffer.ts';
import { RecordsUnavailableError } from '../../src/lib/errors.ts';
import { openSigningKey } from '../../src/records/audit/keys.ts';
import { listAudit } from '../../src/records/audit/list.ts';
import type { RecordStore } from '../../src/records/record-store.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { draftNumber } from './memory-audit.ts';
import { drafts, makingOf, trailOf, verified } from './stored-audit.ts';

describeOnEachEngine('the audit trail', (open) => {
  it('signs heads after so many entries, after so long, and when it closes', async () => {
    const store = await open();
    await openSigningKey(store, makingOf());
    const { trail, timers, heads, fire, troubles } = trailOf(store, { heads: { everyEntries: 10, everyMs: 5000 } });
    await store.transact((tx) => trail.append(tx, drafts(4)));
    expect(timers.map(({ ms }) => ms)).toEqual([5000]);
    fire();
    await expect.poll(() => heads).toEqual([5]);
    await trail.record(drafts(4, 5));
    await trail.record(drafts(8, 9));
    expect(timers.map(({ ms }) => ms)).toEqual([100]);
    await trail.close();
    expect(heads).toEqual([5, 17]);
    expect(await verified(store)).toMatchObject({ breaks: [], unsigned: 0 });
    expect(troubles).toEqual([]);
    await expect(trail.record(drafts(1))).rejects.toThrow('The audit is closed');
  });

  it('writes together what comes together, keeps each one apart, and takes no more than it can hold', async () => {
    const store = await open();
    const { trail } = trailOf(store, { mostWaiting: 100 });
    const wrong = trail.record([{ ...draftNumber(1), action: 'wrong' }]).catch((error: Error) => error.message);
    const right = Array.from({ length: 99 }, (_, i) => trail.record([draftNumber(i)]));
    await expect(trail.record(drafts(1))).rejects.toThrow('wait to be audited');
    expect(await wrong).toMatch('cannot be written');
    const sequences = (await Promise.all(right)).map(([{ sequence }]) => sequence);
    expect(sequences).toEqual(Array.from({ length: 99 }, (_, i) => i + 1));
    await trail.close();
    expect((await verified(store)).breaks).toEqual([]);
  });

  it('has every view of personal data: the first at once, repetitions as a count', async () => {
    const store = await open();
    const { trail, clock, fire } = trailOf(store, { views: { windowMs: 60_000, mostOpen: 2 } });
    const view = (person: string, id: string) =>
      trail.view({
        actor: { kind: 'user', id: person, name: person },
        ...{ subject: { kind: 'customer', id }, address: null, fields: ['payerName', 'payerDocument'] },
      });
    await Promise.all([view('ana', 'c1'), view('ana', 'c1'), view('ana', 'c1'), view('luz', 'c1')]);
    await view('luz', 'c9');
    await view('luz', 'c9');
    const told = async () =>
      (await listAudit(store.db, { actionPrefix: VIEWED }, null, 50)).entries
        .toReversed()
        .map(({ actor, subject, detail }) => [actor.id, subject!.id, detail.repetitions ?? 0]);
    const atOnce = [
      ['ana', 'c1', 0],
      ['luz', 'c1', 0],
      ['luz', 'c9', 0],
      ['luz', 'c9', 0],
    ];
    expect(await told()).toEqual(atOnce);
    clock.nowMs += 60_000;
    fire();
    await expect.poll(told).toEqual([...atOnce, ['ana', 'c1', 2]]);
    await view('ana', 'c1');
    await view('ana', 'c1');
    await trail.close();
    expect(await told()).toEqual([...atOnce, ['ana', 'c1', 2], ['ana', 'c1', 0], ['ana', 'c1', 1]]);
  });

  it('keeps counts of views while the database does not answer, and lets nobody look then', async () => {
    const store = await open();
    let isDown = false;
    const failing: RecordStore = {
      ...store,
      transact: (work) =>
        isDown ? Promise.reject(new RecordsUnavailableError('it does not answer')) : store.transact(work),
    };
    const { trail, clock, fire, troubles } = trailOf(failing);
    const view = (id: string) => {
      const actor = { kind: 'user', id: 'ana', name: 'ana' } as const;
      return trail.view({ actor, subject: { kind: 'customer', id }, address: null, fields: ['payerName'] });
    };
    await view('c1');
    await view('c1');
    isDown = true;
    await expect(view('c2')).rejects.toThrow('does not answer');
    clock.nowMs += 60_000;
    fire();
    // Of the counts and of the head that was to be signed.
    await expect.poll(() => troubles.length).toBe(2);
    isDown = false;
    await view('c2');
    await trail.close();
    const { entries } = await listAudit(store.db, { actionPrefix: VIEWED }, null, 50);
    const told = entries.map(({ subject, detail }) => [subject!.id, detail.repetitions ?? 0]);
    expect(told.toReversed()).toEqual([
      ['c1', 0],
      ['c2', 0],
      ['c1', 1],
    ]);
  });
});
