// Every kind of mistake in rules and in their tests: all of a file are told at once, each with its place. What is told
// stands beside each file (*.problems.txt); CENTINELA_WRITE_GOLDEN=1 writes it anew, to be read before it is committed.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createRuleVocabulary } from '../../src/decisions/rule-names.ts';
import { catalogueNamed } from '../../src/features/catalogue/choose.ts';
import { checkRules, problemLine } from '../../src/jobs/rules/check-rules.ts';
import { emptyRuleLists } from '../../src/jobs/rules/rule-lists.ts';
import { createPrng } from '../../src/lib/prng.ts';
import { STANDARD_LISTS } from '../../src/lists/standard-lists.ts';

const folder = new URL('bad/', import.meta.url);
const vocabulary = createRuleVocabulary(catalogueNamed('default'), [], emptyRuleLists(STANDARD_LISTS));
const file = (name: string) => ({ path: name, text: readFileSync(new URL(name, folder), 'utf8') });
const names = readdirSync(folder).filter((name) => name.includes('.bad.') && name.endsWith('.yaml'));

it.each(names)('%s', (name) => {
  const isTest = name.endsWith('.test.yaml');
  const files = isTest ? { rules: [file('good.yaml')], tests: [file(name)] } : { rules: [file(name)], tests: [] };
  const { problems, set } = checkRules(files, vocabulary);
  const told = problems.map((problem) => `${problemLine(problem)}\n`).join('');
  const golden = new URL(name.replace(/\.yaml$/, '.problems.txt'), folder);
  if (process.env.CENTINELA_WRITE_GOLDEN === '1') writeFileSync(golden, told);
  expect(told).toBe(readFileSync(golden, 'utf8'));
  expect(set === null).toBe(!isTest);
});

it('nothing is wrong with the sound ones', () => {
  expect(checkRules({ rules: [file('good.yaml')], tests: [] }, vocabulary).problems).toEqual([]);
});

it('files with letters changed, lost and repeated are refused in words or read', () => {
  const prng = createPrng(4);
  const sources = readdirSync(folder).filter((name) => name.endsWith('.yaml'));
  for (let run = 0; run < 300; run++) {
    const { path, text } = file(sources[run % sources.length]);
    let mutated = text;
    for (let change = prng.nextBelow(4); change >= 0; change--) {
      const at = prng.nextBelow(mutated.length);
      const piece = text.substr(prng.nextBelow(text.length), prng.nextBelow(12));
      mutated = mutated.slice(0, at) + piece + mutated.slice(at + prng.nextBelow(6));
    }
    const files = [{ path, text: mutated }];
    const checked = path.endsWith('.test.yaml')
      ? checkRules({ rules: [file('good.yaml')], tests: files }, vocabulary)
      : checkRules({ rules: files, tests: [] }, vocabulary);
    for (const { line, column, message } of checked.problems) {
      expect(line).toBeGreaterThan(0);
      expect(column).toBeGreaterThan(0);
      expect(message).not.toBe('');
    }
  }
});
