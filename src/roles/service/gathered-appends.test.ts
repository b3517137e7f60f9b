import { expect, test } from 'vitest';
import { InputError, StreamUnavailableError } from '../../lib/errors.ts';
import type { OutgoingRecord, StreamPosition } from '../../ports.ts';
import { gatheredAppends } from './gathered-appends.ts';

function setUp(refuse: (record: OutgoingRecord) => Error | null = () => null) {
  let nowMs = 1000;
  let later: { atMs: number; call: () => void }[] = [];
  const written: string[][] = [];
  let offset = 0;
  const log = {
    async append(records: readonly OutgoingRecord[]): Promise<StreamPosition[]> {
      const refused = records.map(refuse).find((error) => error !== null);
      if (refused) throw refused;
      written.push(records.map(nameOf));
      return records.map(({ topic }) => ({ topic, partition: 0, offset: offset++ }));
    },
  };
  const clock = {
    now: () => nowMs,
    after: (ms: number, call: () => void) => void later.push({ atMs: nowMs + ms, call }),
  };
  return {
    written,
    append: gatheredAppends(log, 4, clock),
    pass(ms: number) {
      nowMs += ms;
      const due = later.filter(({ atMs }) => atMs <= nowMs);
      later = later.filter(({ atMs }) => atMs > nowMs);
      for (const { call } of due) call();
    },
  };
}

const record = (name: string): OutgoingRecord => ({
  ...{ topic: 't', partition: null, key: Buffer.from(name), value: null, headers: [], timestampMs: null },
});
const nameOf = ({ key }: OutgoingRecord) => Buffer.from(key!).toString();
const offsetsOf = async (positions: Promise<readonly StreamPosition[]>) =>
  (await positions).map(({ offset }) => offset);

test('who comes after a pause does not wait; who comes within the spacing goes with the others', async () => {
  const { append, pass, written } = setUp();
  const first = append([record('a')]);
  expect(written).toEqual([['a']]);
  const second = append([record('b'), record('c')]);
  const third = append([record('d')]);
  pass(3);
  expect(written).toEqual([['a']]);
  pass(1);
  expect(written).toEqual([['a'], ['b', 'c', 'd']]);
  expect(await offsetsOf(first)).toEqual([0]);
  expect(await offsetsOf(second)).toEqual([1, 2]);
  expect(await offsetsOf(third)).toEqual([3]);
  pass(10);
  void append([record('e')]);
  expect(written.at(-1)).toEqual(['e']);
});

test('one that is wrong in itself is refused alone', async () => {
  const { append, pass, written } = setUp((each) =>
    nameOf(each) === 'wrong' ? new InputError('RECORD_TOO_LARGE', 'too large', 'Send less') : null,
  );
  await append([record('a')]);
  const asked = [append([record('b')]), append([record('wrong')]), append([record('c')])];
  pass(4);
  const results = await Promise.allSettled(asked);
  expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
  expect(written).toEqual([['a'], ['b'], ['c']]);
});

test('where the log does not take anything, all are told, and it is not asked for each again', async () => {
  let asked = 0;
  const { append, pass } = setUp(() => {
    asked++;
    return new StreamUnavailableError('the disk is full');
  });
  await expect(append([record('a')])).rejects.toThrow('the disk is full');
  const both = [append([record('b')]), append([record('c')])];
  asked = 0;
  pass(4);
  for (const each of both) await expect(each).rejects.toThrow('the disk is full');
  expect(asked).toBe(2);
});
