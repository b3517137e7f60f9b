// `rules` and `lists` as a fraud team uses them.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import { rulesYaml } from '../rules/samples.ts';
import { centinela, centinelaHere, jsonOf, temporaryFolder } from './run-program.ts';

const folder = temporaryFolder();
afterAll(() => folder.remove());

const BAD = fileURLToPath(new URL('../rules/bad/', import.meta.url));
const SAMPLES = fileURLToPath(new URL('../lists/samples/', import.meta.url));
let books = 0;

/** Runs on a registry of its own. */
function newRegistry() {
  books += 1;
  const registry = folder.path(`registry-${books}`);
  return {
    registry,
    run: (...argv: string[]) => centinelaHere(...argv, '--registry', registry),
    json: (...argv: string[]) => jsonOf(centinelaHere, ...argv, '--registry', registry),
  };
}

function written(name: string, text: string): string {
  writeFileSync(folder.path(name), text);
  return folder.path(name);
}

describe('rules check', () => {
  it('the rules that come with the program are sound', async () => {
    expect(await centinelaHere('rules', 'check')).toMatchObject({ exitCode: 0, errors: '' });
  });

  it('all problems of a file, one a line, and exit code 1', async () => {
    const path = `${BAD}settings.bad.yaml`;
    const { exitCode, out, errors } = await centinelaHere('rules', 'check', path);
    const golden = readFileSync(`${BAD}settings.bad.problems.txt`, 'utf8');
    expect(out.replaceAll(BAD, '')).toBe(golden);
    expect(errors).toMatch(/^centinela: \d+ problems in 1 file\. [^\n]+\n$/);
    expect(exitCode).toBe(1);
  });

  it('--json gives them as one object', async () => {
    const { exitCode, out } = await centinelaHere('rules', 'test', `${BAD}names.bad.yaml`, '--json');
    expect(exitCode).toBe(1);
    const { problems } = JSON.parse(out);
    expect(problems[0]).toMatchObject({ code: 'NAME_UNKNOWN', line: 9, column: 11, path: '/rules/0/when' });
    expect(problems[0].hint).toBe('Did you mean amount?');
  });

  it('tests beside a file of rules are run with it', async () => {
    const path = written('tested.yaml', rulesYaml({}));
    written('tested.test.yaml', 'tests:\n  - { name: n, given: { amount: 1 }, fires: [great-amount] }\n');
    const { exitCode, out } = await centinelaHere('rules', 'test', path);
    expect(out).toContain("tested.test.yaml:2:5: test 'n': did not fire: great-amount");
    expect(exitCode).toBe(1);
  });

  it.each([
    [['rules', 'check', 'nowhere'], 1, "There is no file or folder 'nowhere'"],
    [['rules', 'check', 'docs'], 1, 'docs has no rules'],
    [['rules', 'explode'], 2, "there is no 'explode'; there are check, test"],
    [['rules', 'approve', 'a@1'], 2, '--by NAME is missing'],
    [['rules', 'propose', '--by', 'Ana'], 2, 'rules propose: which file?'],
    [['rules', 'snooze', 'a', '--by', 'Ana', '--until', 'soon'], 2, "'soon' is not"],
    [['lists', 'add', 'bloqueados', '--by', 'Ana'], 2, 'lists add: which value?'],
    [['lists', 'show', 'bloquedos'], 1, 'There is no list @bloquedos'],
  ])('%j', async (argv, exitCode, message) => {
    const outcome = await newRegistry().run(...argv);
    expect(outcome.errors).toContain(message);
    expect(outcome).toMatchObject({ exitCode, out: '' });
  });
});

it('rules names: what rules may speak of, found by a word in either language', async () => {
  const { out } = await centinelaHere('rules', 'names', 'beneficiario nuevo');
  expect(out).toContain('BENEFICIARIO_NUEVO');
  const all = await jsonOf(centinelaHere, 'rules', 'names');
  const amount = { name: 'amount', type: 'a number (money)', es: 'monto', en: 'amount', kind: 'number', unit: 'money' };
  expect(all.names).toContainEqual(amount);
  expect(all.names).toContainEqual(expect.objectContaining({ name: 'hour', low: 0, high: 23, whole: true }));
  expect(all.functions).toContainEqual(
    expect.objectContaining({ function: 'like', parameters: ['text', 'constant-text'], variadic: false }),
  );
  expect(all.problems).toContainEqual(expect.objectContaining({ code: 'NAME_UNKNOWN' }));
  expect(all.functions.map(({ name }: { name: string }) => name)).toContain('like(text, constant-text)');
  expect(all.lists.map(({ name }: { name: string }) => name)).toContain('@sanciones');
});

it('a rule goes live by two people, and its history is kept', async () => {
  const { run, json } = newRegistry();
  const path = written('two.yaml', rulesYaml({}, { id: 'other', when: "fired('great-amount') and payer_age < 7d" }));
  expect((await json('rules', 'propose', path, '--by', 'Ana')).done).toEqual(['great-amount@1', 'other@1']);
  expect((await json('rules', 'propose', path, '--by', 'Ana')).unchanged).toEqual(['great-amount@1', 'other@1']);
  const own = await run('rules', 'approve', 'great-amount@1', '--by', 'ana');
  expect(own).toMatchObject({ exitCode: 1, errors: expect.stringContaining('was proposed by Ana') });
  const alone = await run('rules', 'approve', 'other@1', '--by', 'Luis');
  expect(alone).toMatchObject({ exitCode: 1, out: expect.stringContaining("there is no rule 'great-amount'") });

  written('two.yaml', rulesYaml({ when: 'amount > 30000' }));
  const changed = await run('rules', 'approve', 'great-amount@1', '--by', 'Luis', '--file', path);
  expect(changed.errors).toContain('is not the text that you read');
  const late = await run('rules', 'propose', path, '--by', 'Ana');
  expect(late).toMatchObject({ exitCode: 1, out: expect.stringContaining('version 1 is in the book') });

  await json('rules', 'approve', 'great-amount@1,other@1', '--by', 'Luis');
  const used = await run('rules', 'retire', 'great-amount', '--by', 'Eva', '--reason', 'ruido');
  expect(used).toMatchObject({ exitCode: 1, out: expect.stringContaining("there is no rule 'great-amount'") });

  written('two.yaml', rulesYaml({ version: 2, mode: 'shadow', when: 'amount > 30000' }));
  await json('rules', 'propose', path, '--by', 'Luis');
  await json('rules', 'approve', 'great-amount@2', '--by', 'Ana', '--file', path);
  await json('rules', 'rollback', 'great-amount', '--by', 'Eva', '--reason', 'faltan alertas');
  await json('rules', 'snooze', 'great-amount', '--by', 'Eva', '--until', '36h', '--reason', 'campaña');
  const override = ['rules', 'override', 'other', '--by', 'Eva', '--payer', 'C1', '--reason', 'viaja'];
  await json(...override, '--until', '7d');
  const both = await run('rules', 'snooze', 'other', '--by', 'Eva', '--reason', 'x', '--end', '--until', '1d');
  expect(both).toMatchObject({ exitCode: 2, errors: expect.stringContaining('--end or --until WHEN, not both') });
  expect((await run(...override, '--end')).out).toBe('other counts for it again\n');
  await json('rules', 'retire', 'other', '--by', 'Eva', '--reason', 'ruido');
  const { rules } = await json('rules', 'list');
  expect(rules).toMatchObject([{ id: 'great-amount', version: 1, state: 'live', approvedBy: 'Luis' }]);
  expect(rules[0].snoozedUntilMs).toBeGreaterThan(Date.now() + 35 * 3_600_000);
  expect((await run('rules', 'show', 'great-amount@2')).out).toContain('great-amount@2 is superseded');
  expect(await json('rules', 'show', 'other@1')).toMatchObject({
    ...{ id: 'other', state: 'retired', text: { rules: [{ id: 'other' }] }, problems: [] },
    condition: { rule: 'other@1', names: ['payer_age'], lists: [], rules: ['great-amount'], tree: { kind: 'all' } },
  });
  const history = await run('rules', 'history');
  expect(history.out.split('\n').map((line) => line.split('  ')[3])).toEqual([
    ...['proposed great-amount@1', 'proposed other@1', 'approved great-amount@1', 'approved other@1'],
    ...['proposed great-amount@2', 'approved great-amount@2', 'rolled-back great-amount@1: faltan alertas'],
    ...[expect.stringMatching(/^snoozed great-amount until .*: campaña$/)],
    expect.stringMatching(/^overridden other for payerId C1 until .*: viaja$/),
    ...['override-ended other for payerId C1: viaja', 'retired other@1: ruido'],
    ...[undefined, undefined],
  ]);
});

it('processes that write at once lose nothing', async () => {
  const { registry, json } = newRegistry();
  const values = ['a', 'b', 'c'];
  const outcomes = await Promise.all(
    values.map((value) =>
      centinela('lists', 'add', 'bloqueados', value, '--by', 'Ana', '--reason', 'caso', '--registry', registry),
    ),
  );
  expect(outcomes.map(({ errors }) => errors)).toEqual(['', '', '']);
  const { entries } = await json('lists', 'show', 'bloqueados');
  expect(entries.map(({ value }: { value: string }) => value).sort()).toEqual(values);
});

describe('lists', () => {
  it('are kept with reason and end, and taken off', async () => {
    const { run, json } = newRegistry();
    const who = ['--by', 'Ana', '--reason', 'caso 17'];
    await json('lists', 'add', 'bloqueados', '191-001', ...who, '--until', '7d', '--source', 'investigaciones');
    const { entries } = await json('lists', 'show', 'bloqueados');
    expect(entries).toMatchObject([{ value: '191-001', reason: 'caso 17', source: 'investigaciones' }]);
    await json('lists', 'remove', 'bloqueados', '191-001', ...who);
    expect((await run('lists', 'show', 'bloqueados')).out).toBe('Nothing is on @bloqueados now.\n');
    const again = await run('lists', 'remove', 'bloqueados', '191-001', ...who);
    expect(again).toMatchObject({ exitCode: 1, errors: expect.stringContaining("'191-001' is not on @bloqueados") });
    await json('lists', 'define', 'mulas', '--purpose', 'block', '--by', 'Ana');
    const rules = written('lists.yaml', rulesYaml({ when: 'payeeAccount in @mulas' }));
    expect(await run('rules', 'check', rules)).toMatchObject({ exitCode: 0 });
  });

  it('a published list replaces what it listed before, not what others listed', async () => {
    const { run, json } = newRegistry();
    await json('lists', 'add', 'sanciones', 'Otro Nombre Agregado', '--by', 'Ana', '--reason', 'UIF');
    const sdn = await run('lists', 'import', 'sanciones', `${SAMPLES}ofac/sdn.csv`, '--by', 'Ana', '--source', 'OFAC');
    expect(sdn.out).toContain('5 rows');
    expect(sdn.errors).toContain('sdn.csv:4: TOO_FEW_COLUMNS');
    await json('lists', 'import', 'sanciones', `${SAMPLES}xml/sdn.xml`, '--by', 'Ana', '--source', 'OFAC');
    await json('lists', 'import', 'sanciones', `${SAMPLES}xml/consolidated.xml`, '--by', 'Ana', '--source', 'ONU');
    const { entries } = await json('lists', 'show', 'sanciones');
    expect(entries.map(({ source }: { source: string }) => source)).toEqual([
      ...['Ana', 'OFAC', 'OFAC', 'OFAC', 'ONU', 'ONU', 'ONU', 'ONU', 'ONU'],
    ]);
    const found = await json('lists', 'find', 'sanciones', 'nahui inbentada maria');
    expect(found).toMatchObject({ isOn: true, match: { entry: { value: 'Inventada María Ñahui' } } });
    expect(await json('lists', 'find', 'sanciones', 'Rosa Tello')).toMatchObject({ isOn: false, match: null });
  });
});
