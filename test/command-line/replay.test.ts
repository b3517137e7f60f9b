// The commands on history: replay, decisions taken again, the rules' ledger and suggestions, as a user runs them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { centinelaHere, jsonOf, temporaryFolder } from './run-program.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const FILE = folder.path('bank.csv');
const CANDIDATE = folder.path('candidate.yaml');
const RULE = `rules:
  - id: large-transfer
    version: 1
    name: { es: Transferencia grande, en: Large transfer }
    owner: pruebas
    severity: high
    reason: MONTO_FUERA_DE_PERFIL
    action: hold
    when: operation = 'transfer' and amount > 2000
`;

beforeAll(async () => {
  writeFileSync(CANDIDATE, RULE);
  await jsonOf(centinelaHere, 'simulate', '--customers', '100', '--days', '15', '--out', FILE);
});

describe('replay', () => {
  it('prints a table, one JSON object, and writes a page', async () => {
    const page = folder.path('replay.html');
    const done = await centinelaHere('replay', FILE, '--rules', CANDIDATE, '--html', page, '--lang', 'en');
    expect(done.exitCode).toBe(0);
    expect(done.out).toContain('Good customers touched');
    expect(done.out).toContain('large-transfer@1');
    expect(readFileSync(page, 'utf8')).toContain('large-transfer@1');
    const json = await jsonOf(centinelaHere, 'replay', FILE, '--rules', CANDIDATE);
    expect(json.comparison.difference.alerts.value).toBeGreaterThan(0);
    expect(json.rules.find(({ change }: { change: string }) => change === 'new').record.rule).toBe('large-transfer@1');
  });

  it('takes written decisions again, and fails where one has been changed', async () => {
    const log = folder.path('decisions.ndjson');
    expect((await centinelaHere('replay', FILE, '--decisions', log)).exitCode).toBe(0);
    const again = await centinelaHere('replay', FILE, '--verify', log);
    expect(again).toMatchObject({ exitCode: 0 });
    expect(again.out).toMatch(/decisiones idénticas, 0 que no lo son/);
    writeFileSync(log, readFileSync(log, 'utf8').replace('"by":"model"', '"by":"rules"'));
    const broken = await centinelaHere('replay', FILE, '--verify', log);
    expect(broken.exitCode).toBe(1);
    expect(broken.errors).toMatch(/1 decisions are not identical.*\(by\)/);
  });

  it.each([
    [['replay', FILE], /what is the candidate/],
    [['replay', FILE, '--rules', CANDIDATE, '--from', '2026-02-30'], /is no day/],
    [['replay', FILE, '--rules', CANDIDATE, '--from', '2026-02-02', '--to', '2026-02-01'], /in order/],
    [['replay', FILE, '--candidate-thresholds', 'review=0.2'], /--model ID/],
    [['rules', 'healt', FILE], /there is no 'healt'; there are .*health, suggest/],
  ])('%j says what to do', async (argv, message) => {
    const { exitCode, errors } = await centinelaHere(...argv);
    expect(exitCode).toBe(2);
    expect(errors).toMatch(message);
  });

  it('a candidate that is not there is told', async () => {
    const { exitCode, errors } = await centinelaHere('replay', FILE, '--rules', 'nowhere.yaml');
    expect([exitCode, errors]).toEqual([1, expect.stringMatching(/There is no file or folder 'nowhere\.yaml'/)]);
  });
});

describe('rules', () => {
  it('health gives every rule its record and a proposal', async () => {
    const { records, transactions } = await jsonOf(centinelaHere, 'rules', 'health', FILE);
    expect(transactions).toBeGreaterThan(1000);
    expect(records.length).toBeGreaterThan(40);
    for (const { proposal } of records) expect(['keep', 'watch', 'retire', 'promote']).toContain(proposal.kind);
    expect((await centinelaHere('rules', 'health', FILE, '--lang', 'en')).out).toContain('Proposal');
  });

  it('suggest writes a file that replay takes', async () => {
    const out = folder.path('made', 'suggested.yaml');
    const argv = ['rules', 'suggest', FILE, '--out', out, '--min-frauds', '2', '--min-precision', '0.02'];
    expect((await centinelaHere(...argv)).exitCode).toBe(0);
    expect(existsSync(out)).toBe(true);
    expect((await centinelaHere('replay', FILE, '--rules', out)).exitCode).toBe(0);
  });
});
