import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { OPEN_NEW, SYNCS_AS_IT_WRITES, writeDurably } from './durable-files.ts';
import { createRoomAhead } from './room-ahead.ts';

const folder = mkdtempSync(join(tmpdir(), 'centinela-room-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const LIMITS = { fromBytes: 0, roomBytes: 16_384, stepBytes: 4096 };
let files = 0;

describe.runIf(SYNCS_AS_IT_WRITES !== 0)('room ahead of what is appended', () => {
  it('never takes the place of what was appended, and is gone once it is closed', async () => {
    const sizes = fc.array(fc.record({ bytes: fc.integer({ min: 1, max: 9000 }), pause: fc.boolean() }), {
      maxLength: 40,
    });
    await fc.assert(
      fc.asyncProperty(sizes, async (appends) => {
        const path = join(folder, String(files++));
        const handle = await open(path, OPEN_NEW);
        const room = createRoomAhead((act) => act(handle), { ...LIMITS, fromBytes: 2000 }, 120_000);
        const expected: Buffer[] = [];
        let end = 0;
        for (const [index, { bytes, pause }] of appends.entries()) {
          const content = Buffer.alloc(bytes, 1 + (index % 255));
          await room.before(end + bytes);
          await writeDurably(handle, content, end);
          expected.push(content);
          end += bytes;
          room.after(end);
          if (pause) await new Promise((resolve) => setTimeout(resolve, 2));
        }
        const whole = Buffer.concat(expected);
        const meanwhile = readFileSync(path);
        expect(meanwhile.subarray(0, end).equals(whole)).toBe(true);
        expect(meanwhile.subarray(end).every((byte) => byte === 0)).toBe(true);
        await room.close(end);
        expect(readFileSync(path).equals(whole)).toBe(true);
        await handle.close();
      }),
      { numRuns: 60 },
    );
  });

  it('is there before it is needed, and not beyond what the file may have', async () => {
    const path = join(folder, String(files++));
    const handle = await open(path, OPEN_NEW);
    const room = createRoomAhead((act) => act(handle), { ...LIMITS, fromBytes: 1000 }, 20_000);
    await writeDurably(handle, Buffer.alloc(999, 1), 0);
    room.after(999);
    expect(room.before(1_000_000)).toBeNull();
    room.after(1000);
    await room.before(1_000_000);
    expect((await handle.stat()).size).toBe(20_000);
    await room.close(999);
    expect((await handle.stat()).size).toBe(999);
    await handle.close();
  });

  it('is done without where the disk has none to spare', async () => {
    const path = join(folder, String(files++));
    const handle = await open(path, OPEN_NEW);
    let asked = 0;
    const room = createRoomAhead(
      async () => {
        asked++;
        throw new Error('ENOSPC');
      },
      LIMITS,
      1_000_000,
    );
    room.after(10);
    await room.before(1_000_000);
    room.after(20);
    expect(room.before(1_000_000)).toBeNull();
    expect(asked).toBe(1);
    await handle.close();
  });
});
