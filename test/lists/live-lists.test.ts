// Lists of a running worker: as of an entry of their history, compared as the stream writes ids.
import { expect, it } from 'vitest';
import type { RuleInput } from '../../src/decisions/rule-names.ts';
import { createTransaction } from '../../src/domain/transaction.ts';
import { sealedRuleLists } from '../../src/jobs/rules/rule-lists.ts';
import { LiveLists } from '../../src/jobs/stream/live-lists.ts';
import { STANDARD_LISTS } from '../../src/lists/standard-lists.ts';
import { openListBook } from '../../src/registry/list-book.ts';
import { createMemoryStore } from '../registry/memory-store.ts';

const transaction = createTransaction({ id: 't', eventTimeMs: 1000, amountMinor: 1, currency: 'PEN' });
const input = { transaction } as RuleInput;
const act = (atMs: number) => ({ by: 'Ana', why: 'caso', atMs });
const details = { source: 'x', untilMs: null };
/** As tokens do: one number, however it is written. */
const canonical = (value: string) => (/^[\d-]+$/.test(value) ? `dni_${value.replaceAll('-', '')}` : value);

async function withEntries() {
  const store = createMemoryStore();
  const book = openListBook(store, true);
  const first = await book.add('bloqueados', '4000-0001', details, act(100));
  const second = await book.add('observados', 'C-1', details, act(200));
  const third = await book.remove('bloqueados', '4000-0001', act(900));
  return { store, book, first, second, third };
}

it('a change speaks of an entry: what came after it is not there', async () => {
  const { book, first, third } = await withEntries();
  const lists = new LiveLists(book, canonical);
  const isBlocked = async (at: { number: number; hash: string }) =>
    (await lists.at({ entry: at.number, hash: at.hash })).get('bloqueados')!.has('40000001', input);
  expect(await isBlocked(first)).toBe(true);
  expect(await isBlocked(third)).toBe(false);
  expect((await lists.newest()).get('observados')!.has('C-1', input)).toBe(true);
});

it('a number is found by its token and by its digits, and a list that was not touched is the same one', async () => {
  const { book, first, second } = await withEntries();
  const lists = new LiveLists(book, canonical);
  const one = await lists.at({ entry: 1, hash: first.hash });
  const two = await lists.at({ entry: 2, hash: second.hash });
  for (const value of ['40000001', '4000-0001', 'dni_40000001'])
    expect(one.get('bloqueados')!.has(value, input)).toBe(true);
  expect(two.get('bloqueados')).toBe(one.get('bloqueados'));
  expect(two.get('observados')).not.toBe(one.get('observados'));
});

it('an entry that is not there, or another one, is not guessed', async () => {
  const { book, first } = await withEntries();
  const lists = new LiveLists(book, canonical);
  await expect(lists.at({ entry: 9, hash: first.hash })).rejects.toThrow('has 3 entries');
  await expect(lists.at({ entry: 2, hash: first.hash })).rejects.toThrow('has another one');
});

it('removing a value takes off whatever way it was written in, where the caller says which', async () => {
  const { book } = await withEntries();
  await book.add('bloqueados', '40000001', details, act(910));
  await book.add('bloqueados', '4000-0001', details, act(920));
  await book.remove('bloqueados', '40000001', act(930), ['4000-0001']);
  expect((await new LiveLists(book, canonical).newest()).get('bloqueados')!.has('40000001', input)).toBe(false);
});

it('a history that a service sealed is told as such, and a rule that asks such a list ends', async () => {
  const { store } = await withEntries();
  store.objects.set('lists/history/00000004.json', Uint8Array.of(1, 2, 3));
  await expect(openListBook(store).lists()).rejects.toMatchObject({ code: 'HISTORY_SEALED' });
  const list = sealedRuleLists(STANDARD_LISTS).get('bloqueados')!;
  expect(() => list.has('x', input)).toThrow('keeps sealed');
});
