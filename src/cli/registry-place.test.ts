import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { registryOf } from './registry-place.ts';

let folder: string;
let data: string;
let before: string;
let told: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'centinela-registry-place-'));
  data = join(folder, 'data');
  before = join(folder, 'out', 'registry');
  told = [];
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const place = (options: Parameters<typeof registryOf>[0]) =>
  registryOf(options, data, (message) => told.push(message), before);

it('is what is given, and else in the folder of the service, which is made', async () => {
  expect(await place({ registry: 's3://bank/centinela' })).toBe('s3://bank/centinela');
  expect(existsSync(data)).toBe(false);
  expect(await place({})).toBe(join(data, 'registry'));
  expect(existsSync(join(data, 'registry'))).toBe(true);
  expect(told).toEqual([]);
});

it('says where there is one from before, and refuses to begin without it where it may be needed', async () => {
  mkdirSync(before, { recursive: true });
  for (const options of [{ model: 'bank' }, { rules: 'book' }]) {
    await expect(place(options)).rejects.toMatchObject({ code: 'REGISTRY_ELSEWHERE' });
  }
  expect(existsSync(data)).toBe(false);
  expect(await place({ registry: before })).toBe(before);
  // A new service that needs nothing of it.
  expect(await place({})).toBe(join(data, 'registry'));
  expect(told).toEqual([expect.stringContaining(before)]);
  // From then on it has its own.
  mkdirSync(join(data, 'records'));
  expect([await place({ rules: 'book' }), told.length]).toEqual([join(data, 'registry'), 1]);
  rmSync(join(data, 'registry'), { recursive: true });
  await expect(place({})).rejects.toThrow(/registry exists and .*registry does not/);
});
