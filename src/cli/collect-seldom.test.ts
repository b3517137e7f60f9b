import { spawnSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { COLLECTOR_FLAGS } from './collect-seldom.ts';

it('names flags that this Node knows: of one that it does not know it would only say a word on standard error', () => {
  const known = (flags: readonly string[]) => spawnSync(process.execPath, [...flags, '--eval', '0']).status === 0;
  expect(known(COLLECTOR_FLAGS)).toBe(true);
  expect(known(['--heap-growing-percents=300'])).toBe(false);
});
