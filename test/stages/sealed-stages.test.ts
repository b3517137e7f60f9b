// What came sealed lies sealed between the stages, too, and is decided as what came in clear.
import { expect, it } from 'vitest';
import { decodeControl, decodeLabel } from '../../src/adapters/formats/stream-values.ts';
import { decodeJsonTransaction } from '../../src/adapters/formats/transaction-value.ts';
import type { RecordDecoders } from '../../src/pipeline/stream/partition-fold.ts';
import type { OutgoingRecord } from '../../src/ports.ts';
import { createSimulator } from '../../src/simulate/simulator.ts';
import { decisionsIn, recordsOf, rounds, startDeciding } from './keyed-log.ts';
import { labelRecord } from './random-bank.ts';
import { STAGE_TOPICS, TOPICS } from './stage-runner.ts';

const MARK = 0xee;
const bank = [...createSimulator({ customers: 20, days: 4, seed: 12 }).batches()].flat();
const payers = new Set(bank.flatMap(({ payerId }) => (payerId === null ? [] : [payerId])));

function sealed(record: OutgoingRecord): OutgoingRecord {
  return { ...record, value: Uint8Array.from([MARK, ...record.value!.map((byte) => byte ^ 0x5a)]) };
}

/** As a key that has to be fetched: what is read was asked for before, each time. */
function openingDecoders(): RecordDecoders {
  const asked = new Set<string>();
  const nameOf = (value: Uint8Array) => Buffer.from(value).toString('latin1');
  const ask = async (values: readonly Uint8Array[]) => {
    for (const value of values) asked.add(nameOf(value));
  };
  const open = (value: Uint8Array) => {
    if (!asked.delete(nameOf(value))) throw new Error('it was not asked for');
    return value.subarray(1).map((byte) => byte ^ 0x5a);
  };
  return {
    ...{ prepare: ask, prepareLabels: ask, isSealed: (value) => value[0] === MARK },
    transaction: (value) => decodeJsonTransaction(open(value)),
    label: (value) => decodeLabel(open(value)),
    control: decodeControl,
  };
}

async function decide(seal: (record: OutgoingRecord) => OutgoingRecord, decoders?: RecordDecoders) {
  const deciding = await startDeciding({
    ...{ stages: 'keyed', partitions: 3, workers: 2 },
    ...(decoders !== undefined && { decoders }),
  });
  for (const round of rounds(bank, 32)) await deciding.round(recordsOf(round).map(seal));
  const label = { ...labelRecord(bank[0], true), topic: TOPICS.labels, headers: [] };
  await deciding.round([seal(label)]);
  await deciding.stop();
  return deciding;
}

/** Values of the topics between the stages that have a payer's id in clear. */
async function clearBetween({ log }: Awaited<ReturnType<typeof decide>>): Promise<{ all: number; clear: number }> {
  const found = { all: 0, clear: 0 };
  for (const topic of Object.values(STAGE_TOPICS)) {
    for (const { partition, start } of await log.bounds(topic)) {
      for (const { value } of await log.read({ topic, partition, offset: start }, 100_000, 0)) {
        const text = Buffer.from(value!).toString('latin1');
        found.all++;
        if ([...payers].some((payer) => text.includes(payer))) found.clear++;
      }
    }
  }
  return found;
}

it('lies sealed between the stages and is decided the same', { timeout: 120_000 }, async () => {
  const clear = await decide((record) => record);
  const dark = await decide(sealed, openingDecoders());
  const inClear = await clearBetween(clear);
  expect(inClear.clear).toBeGreaterThan(bank.length);
  expect(await clearBetween(dark)).toEqual({ all: inClear.all, clear: 0 });
  const [[expected], [decisions, again]] = [await decisionsIn(clear.log), await decisionsIn(dark.log)];
  expect(expected.size).toBe(bank.length);
  expect(again.size).toBe(0);
  expect(decisions).toEqual(expected);
  expect(new Map([...dark.rows].sort())).toEqual(new Map([...clear.rows].sort()));
});
