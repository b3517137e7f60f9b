import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createPrng } from '../../src/lib/prng.ts';
import { verifyWebhook } from '../../src/notify/webhook-signature.ts';
import { openTestServer, withPostgres } from '../records/with-postgres.ts';
import { type Receiver, startReceiver } from './receiver.ts';

const isLong = process.env.CENTINELA_LONG_TESTS === '1';
const ROUNDS = 30;
const PROCESS = join(import.meta.dirname, 'notifying-process.ts');
let receiver: Receiver;
let endings: (() => Promise<void> | void)[];

beforeEach(async () => {
  receiver = await startReceiver();
  endings = [() => receiver.close()];
});
afterEach(async () => {
  for (const end of endings) await end();
});

describe('what was committed is told though the process is killed again and again, under ids that stay', () => {
  it.runIf(isLong)('in PGlite', { timeout: 300_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'centinela-killed-'));
    endings.push(() => rmSync(folder, { recursive: true, force: true }));
    await drill(folder);
  });

  it.runIf(withPostgres && isLong)('in PostgreSQL', { timeout: 300_000 }, async () => {
    const server = await openTestServer();
    endings.push(() => server.stop());
    await drill(await server.create());
  });
});

/** @param killAfter so many lines; null: it ends by itself @returns what it printed */
function run(place: string, first: number, count: number, killAfter: number | null): Promise<string[]> {
  const child = spawn(process.execPath, [PROCESS, place, receiver.url, String(first), String(count)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  const lines = () => text.split('\n').slice(0, -1);
  child.stdout.on('data', (part: Buffer) => {
    text += part.toString();
    if (killAfter !== null && lines().length >= killAfter) child.kill('SIGKILL');
  });
  return new Promise((resolve) => child.on('close', () => resolve(lines())));
}

async function drill(place: string): Promise<void> {
  const draw = createPrng(11);
  let failing = 0;
  receiver.answer = () => ({ status: failing++ % 5 === 0 ? 503 : 200 });
  const committed: string[] = [];
  for (let round = 0; round < ROUNDS; round++)
    committed.push(...(await run(place, round * 1000, 1000, 5 + draw.nextBelow(40))));
  expect(await run(place, 0, 0, null)).toEqual(['empty']);

  const toldBy = new Map<string, Set<string>>();
  const membersOf = new Map<string, string>();
  for (const { headers, body } of receiver.received) {
    const signature = headers['centinela-signature'] as string;
    expect(verifyWebhook(signature, body, [new Uint8Array(32).fill(1)], Date.now()).isValid).toBe(true);
    const { id, notifications } = JSON.parse(body.toString()) as { id: string; notifications: { id: string }[] };
    expect(headers['centinela-delivery']).toBe(id);
    const members = notifications.map((each) => each.id).join();
    // The same id, the same message, at every attempt and from every process.
    expect(membersOf.get(id) ?? members).toBe(members);
    membersOf.set(id, members);
    for (const each of notifications) toldBy.set(each.id, (toldBy.get(each.id) ?? new Set()).add(id));
  }
  expect(committed.length).toBeGreaterThan(ROUNDS * 4);
  expect(committed.filter((id) => !toldBy.has(id))).toEqual([]);
  for (const messages of toldBy.values()) expect(messages.size).toBe(1);
}
