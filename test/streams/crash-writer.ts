// A process that writes to a file log as fast as it can and tells on its standard output what was acknowledged, a line each,
// until it is killed. Also used to hold a log open.
//
//   node crash-writer.ts FOLDER RUN
//
// Values name the run and a number, so that a reader can tell which were acknowledged and whether one is there twice.
// Each transaction writes two outputs with the same number to different topics and moves the group's position on to it.
import { writeSync } from 'node:fs';
import { openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import type { OutgoingRecord, StreamPosition } from '../../src/ports.ts';

const [folder, run] = process.argv.slice(2) as [string, string];
const WRITERS = 6;
/** Small, so that segments and journal are rolled within a run. */
const room = { fromBytes: 2000, roomBytes: 8192, stepBytes: 2048 };
const limits = { segmentBytes: 40_000, journalBytes: 20_000, openFiles: 4, room };

const tell = (line: string) => writeSync(1, `${line}\n`);
const log = await openFileLog({
  folder,
  limits,
  onRecovery: ({ file, bytesCut }) => tell(`cut ${bytesCut} ${file}`),
});
const settings = { partitions: 3, retentionMs: null, compacted: false, replicas: 1 };
await log.createTopics(['input', 'left', 'right'].map((name) => ({ ...settings, name })));

function record(topic: string, name: string, index: number): OutgoingRecord {
  const value = new TextEncoder().encode(`${name} ${'x'.repeat((index * 37) % 600)}`);
  return { topic, partition: index % 3, key: null, value, headers: [], timestampMs: null };
}

async function append(writer: number): Promise<void> {
  for (let index = 0; ; index++) {
    const names = [0, 1].map((part) => `${run}.${writer}.${index}.${part}`);
    await log.append(names.map((name, part) => record('input', name, index + part)));
    for (const name of names) tell(`appended ${name}`);
  }
}

async function transact(): Promise<void> {
  const listener = {
    assigned: async (committed: readonly StreamPosition[]) => committed,
    revoked: async () => undefined,
    lost: async () => undefined,
  };
  const consumer = await log.join({ group: 'g', topics: ['input'], listener });
  await consumer.poll(1, 0);
  // The group's position counts the transactions of all runs.
  let count = (await log.bounds('left')).reduce((sum, { end }) => sum + end, 0);
  for (;;) {
    count++;
    const outputs = ['left', 'right'].map((topic) => record(topic, `${count}`, count));
    await consumer.commit(outputs, [{ topic: 'input', partition: 0, offset: count }]);
    tell(`committed ${count}`);
  }
}

tell('open');
await Promise.all([...Array.from({ length: WRITERS }, (_, writer) => append(writer)), transact()]);
