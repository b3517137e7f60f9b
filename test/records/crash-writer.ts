// A process that writes to the embedded database as fast as it can and tells on its standard output what was acknowledged, a
// line each, until it is killed.
//
//   node crash-writer.ts FOLDER FIRST-NUMBER
import { writeSync } from 'node:fs';
import { CREATE, openSmall, writeNumber } from './embedded-folder.ts';

const [folder, first] = process.argv.slice(2) as [string, string];
const WRITERS = 5;
const tell = (line: string) => writeSync(1, `${line}\n`);

tell('begun');
const database = await openSmall(folder, (text) => tell(`recovery ${text}`));
await database.transact((run) => run({ text: CREATE, parameters: [] }));
let next = Number(first);

async function write(): Promise<void> {
  for (;;) {
    const n = next++;
    await writeNumber(database, n);
    tell(`written ${n}`);
  }
}

tell('open');
await Promise.all(Array.from({ length: WRITERS }, write));
