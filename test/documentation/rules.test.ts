// The examples of docs/rules.md and docs/reglas.md, run from top to bottom: rules and tests are checked, conditions too, files
// whose first line names them are written, and commands are run on them.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { createRuleVocabulary } from '../../src/decisions/rule-names.ts';
import { catalogueNamed } from '../../src/features/catalogue/choose.ts';
import { checkRules } from '../../src/jobs/rules/check-rules.ts';
import { emptyRuleLists } from '../../src/jobs/rules/rule-lists.ts';
import { STANDARD_LISTS } from '../../src/lists/standard-lists.ts';
import { centinelaHere, temporaryFolder } from '../command-line/run-program.ts';
import { rulesYaml } from '../rules/samples.ts';

const vocabulary = createRuleVocabulary(catalogueNamed('default'), [], emptyRuleLists(STANDARD_LISTS));
const folder = temporaryFolder();
afterAll(() => folder.remove());

/** Words of a command line; quotes hold several together. */
const wordsOf = (line: string) => Array.from(line.matchAll(/"([^"]*)"|(\S+)/g), ([, quoted, bare]) => quoted ?? bare);

describe.each(['rules.md', 'reglas.md'])('docs/%s', (page) => {
  const text = readFileSync(new URL(`../../docs/${page}`, import.meta.url), 'utf8');
  const blocks = Array.from(text.matchAll(/```(\w+)\n([\s\S]*?)```/g), ([, kind, body]) => ({ kind, body }));
  const of = (kind: string) => blocks.filter((block) => block.kind === kind).map(({ body }) => body);

  it('rules and their tests are sound', () => {
    const [tests, rules] = [true, false].map((wanted) => of('yaml').filter((body) => /^tests:/m.test(body) === wanted));
    const files = (bodies: string[]) => bodies.map((body, index) => ({ path: `${index}`, text: body }));
    const checked = checkRules({ rules: files(rules), tests: files(tests) }, vocabulary);
    expect(checked.problems).toEqual([]);
    expect(checked.tests).toBeGreaterThan(1);
  });

  it('each condition is sound', () => {
    const conditions = of('condition').flatMap((body) => body.trim().split('\n'));
    const samples = conditions.map((when, index) => ({ id: `condition-${index + 1}`, when: JSON.stringify(when) }));
    expect(conditions.length).toBeGreaterThan(5);
    expect(
      checkRules({ rules: [{ path: page, text: rulesYaml(...samples) }], tests: [] }, vocabulary).problems,
    ).toEqual([]);
  });

  it('each command does what it should', async () => {
    for (const body of [...of('yaml'), ...of('csv')]) {
      const name = /^# (\S+\/\S+)\n/.exec(body)?.[1];
      if (name === undefined) continue;
      mkdirSync(dirname(folder.path(page, name)), { recursive: true });
      writeFileSync(folder.path(page, name), name.endsWith('.csv') ? body.replace(/^#.*\n/, '') : body);
    }
    const commands = of('sh').flatMap((body) => body.trim().split('\n'));
    expect(commands.length).toBeGreaterThan(5);
    for (const line of commands) {
      const [npx, program, ...words] = wordsOf(line);
      expect([npx, program]).toEqual(['npx', 'centinela']);
      const argv = words.map((word) => (/^(?:rules|reglas)(?:\/|$)/.test(word) ? folder.path(page, word) : word));
      // The first word is the command, which may be called like a folder.
      argv[0] = words[0];
      expect(await centinelaHere(...argv, '--registry', folder.path(page, 'registry')), line).toMatchObject({
        exitCode: 0,
        errors: '',
      });
    }
  }, 20_000);
});
