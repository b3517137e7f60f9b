// Where rules come from when a command names none.
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { BUILT_IN_RULES, defaultRules } from './rule-files.ts';

it("takes config/rules of the working folder, and the program's own where there is none", () => {
  const folder = mkdtempSync(join(tmpdir(), 'centinela-rules-'));
  try {
    expect(defaultRules(folder)).toBe(BUILT_IN_RULES);
    expect(existsSync(join(BUILT_IN_RULES, 'transfers.yaml'))).toBe(true);
    mkdirSync(join(folder, 'config', 'rules'), { recursive: true });
    expect(defaultRules(folder)).toBe(join('config', 'rules'));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
