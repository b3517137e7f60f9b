// The default rules with the tests that live beside them: each rule has one that fires and a near miss that stays quiet.
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { REASON_CODES } from '../../src/decisions/reason-codes.ts';
import { createRuleVocabulary } from '../../src/decisions/rule-names.ts';
import { defaultCatalogue } from '../../src/features/catalogue/catalogue.ts';
import { readRules } from '../../src/rules/read-rules.ts';
import { compileRuleSet } from '../../src/rules/rule-set.ts';
import { readRuleTests, runRuleTests, testVocabulary } from '../../src/rules/rule-tests.ts';

const FOLDER = new URL('../../config/rules/', import.meta.url);
const TEST_ENDING = '.test.yaml';
const read = (name: string) => readFileSync(new URL(name, FOLDER), 'utf8');
const names = readdirSync(FOLDER).filter((name) => name.endsWith('.yaml'));
const reasons = new Set(Object.keys(REASON_CODES));
const vocabulary = testVocabulary(createRuleVocabulary(defaultCatalogue, []));
const files = names.filter((name) => !name.endsWith(TEST_ENDING)).map((name) => readRules(read(name), name, reasons));
const { set, problems } = compileRuleSet(
  files.flatMap(({ rules }) => rules),
  vocabulary,
);
const ids = new Set(set?.rules.map(({ id }) => id));
const tested = names
  .filter((name) => name.endsWith(TEST_ENDING))
  .map((name) => ({ name, ...readRuleTests(read(name), name, vocabulary, ids) }));

describe('the default rules', () => {
  it('are at least 40, without problems', () => {
    expect(files.flatMap((file) => file.problems)).toEqual([]);
    expect(problems).toEqual([]);
    expect(ids.size).toBeGreaterThanOrEqual(40);
  });

  it.each(tested)('do as $name says', (file) => {
    expect(file.problems).toEqual([]);
    const noon = Date.UTC(2026, 5, 1, 17);
    const failures = runRuleTests(file.tests, set!, noon);
    expect(failures.map(({ test, message }) => `line ${test.line}, ${test.name}: ${message}`)).toEqual([]);
  });

  it('have each a test that fires and one that stays quiet, in the file beside them', () => {
    const missing = [...ids].filter((id) => {
      const { file } = files.flatMap(({ rules }) => rules).find(({ rule }) => rule.id === id)!;
      const tests = tested.find(({ name }) => name === file.replace(/\.yaml$/, TEST_ENDING))?.tests ?? [];
      return !tests.some(({ fires }) => fires.includes(id)) || !tests.some(({ quiet }) => quiet.includes(id));
    });
    expect(missing).toEqual([]);
  });

  it('stay quiet because of a value that is given, not because one is missing', () => {
    const unknown = tested.flatMap(({ tests }) =>
      tests.flatMap(({ line, name, quiet, input }) => {
        const rules = quiet.map((id) => set!.rules.findIndex((rule) => rule.id === id));
        const fired = new Uint8Array(ids.size);
        const undecided = rules.filter((rule) => set!.trace(rule, { ...input, fired })[0].value !== false);
        return undecided.map(() => `line ${line}: ${name}`);
      }),
    );
    expect(unknown).toEqual([]);
  });
});
