// Checks in the service's own thread: the same answer as here, while the loop that decides payments goes on turning.
import { afterAll, expect, it } from 'vitest';
import { createRuleVocabulary } from '../../decisions/rule-names.ts';
import { CATALOGUE_NAMES, catalogueNamed } from '../../features/catalogue/choose.ts';
import { STANDARD_LISTS } from '../../lists/standard-lists.ts';
import { checkHere, startChecks } from './check-beside.ts';
import { readRuleFile } from './check-rules.ts';
import { emptyRuleLists } from './rule-lists.ts';

/** As much as a request may have (http/contract/rules.ts). */
const MOST_DRAFT = 12_000;
const data = { definitions: CATALOGUE_NAMES.flatMap(catalogueNamed), detectors: ['isolation-forest'] };
const module = new URL('../../cli/check-rules.worker.ts', import.meta.url);
const lists = async () => STANDARD_LISTS;
const checks = startChecks(module, data, lists);
afterAll(() => checks.stop());

const ruleFile = (id: string, when: string) => ({
  path: 'rule',
  text: `rules:
  - { id: ${id}, version: 1, owner: f, severity: high, reason: HORA_INUSUAL, name: { es: a, en: b }, action: decline, when: '${when}' }`,
});

function longest(): string {
  const parts: string[] = [];
  for (let length = 200, n = 0; length < MOST_DRAFT - 20; n++) {
    parts.push(`amount = ${n}`);
    length += parts[n].length + ' or '.length;
  }
  return parts.join(' or ');
}

it('a draft at the limits takes the thread some time, and this loop none of it', async () => {
  const file = ruleFile('long', longest());
  expect(file.text.length).toBeGreaterThan(MOST_DRAFT * 0.97);
  expect(file.text.length).toBeLessThanOrEqual(MOST_DRAFT);
  await checks.check({ rules: [], tests: [] }, []);
  let isOver = false;
  const checked = checks.check({ rules: [file], tests: [] }, []).finally(() => {
    isOver = true;
  });
  let turns = 0;
  while (!isOver) {
    turns++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  const { placed, problems } = await checked;
  expect([placed.map(({ rule }) => rule.id), problems]).toEqual([['long'], []]);
  expect(turns).toBeGreaterThan(100);
});

it('the answer is that of a check here: of types, lists, tests, and rules in force that a draft asks about', async () => {
  const vocabulary = createRuleVocabulary(data.definitions, data.detectors, emptyRuleLists(STANDARD_LISTS));
  const inForce = readRuleFile(ruleFile('first', 'amount > 500')).rules;
  const tests = [{ path: 'tests', text: 'tests:\n  - { name: t, given: { amount: 1 }, fires: [second] }\n' }];
  const drafts = [
    ruleFile('second', 'fired("first") and payeeAccount in @bloqueados'),
    ruleFile('second', 'fired("third") and amuont > 1'),
    ruleFile('first', 'payer_count_1h > 3 or amount > 12'),
  ];
  for (const draft of drafts) {
    const files = { rules: [draft], tests };
    const there = await checks.check(files, inForce);
    expect(there).toEqual(await checkHere(vocabulary)(files, inForce));
    expect(there.problems.length).toBeGreaterThan(0);
  }
});

it('a check beyond its deadline is told what to do', async () => {
  const hasty = startChecks(module, data, lists, 1);
  try {
    const late = hasty.check({ rules: [ruleFile('long', longest())], tests: [] }, []);
    await expect(late).rejects.toMatchObject({ code: 'RULE_CHECK_LIMIT', hint: expect.stringContaining('Split') });
  } finally {
    await hasty.stop();
  }
});
