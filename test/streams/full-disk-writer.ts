// A process that appends to a file log until the system refuses, tells why, waits for a line on its standard input, and
// appends some more. Each acknowledged value is told on a line.
import { writeSync } from 'node:fs';
import { openFileLog } from '../../src/adapters/files/stream-log/file-log.ts';
import { StreamUnavailableError } from '../../src/lib/errors.ts';

const [folder] = process.argv.slice(2) as [string];
const tell = (line: string) => writeSync(1, `${line}\n`);
const log = await openFileLog({ folder, onRecovery: () => undefined });
await log.createTopics([{ name: 't', partitions: 2, retentionMs: null, compacted: false, replicas: 1 }]);
let number = 0;

async function append(): Promise<void> {
  const name = `${number++}`;
  const value = new TextEncoder().encode(`${name} ${'x'.repeat(7000)}`);
  await log.append(
    [0, 1].map((partition) => ({ topic: 't', partition, key: null, value, headers: [], timestampMs: null })),
  );
  tell(`appended ${name}`);
}

async function appendUntilRefused(): Promise<void> {
  try {
    while (number < 1000) await append();
  } catch (error) {
    if (!(error instanceof StreamUnavailableError)) throw error;
    tell(`refused ${error.message}`);
  }
}

await appendUntilRefused();
await append().catch(() => tell('refused again'));
process.stdin.once('data', async () => {
  for (let more = 0; more < 5; more++) await append();
  tell(`problem ${log.problem}`);
  await log.close();
  process.exit(0);
});
