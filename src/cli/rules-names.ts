// `rules names [WORDS]`: all that rules may speak of, with types, units and meanings; reason codes, functions, lists, actions.
import { ruleGrammar, ruleWords } from '../jobs/rules/rule-language.ts';
import { plainText } from '../lib/plain-text.ts';
import type { CommandContext, OptionValues } from './command.ts';
import { vocabularyOf } from './rule-options.ts';

interface Row {
  readonly name: string;
  readonly type: string;
  readonly es: string;
  readonly en: string;
}

export async function names(word: string | undefined, options: OptionValues, { out }: CommandContext): Promise<void> {
  const words = plainText(word ?? '').split(/\s+/);
  const fits = ({ name, es, en }: Row) => words.every((each) => plainText(`${name} ${es} ${en}`).includes(each));
  const all = ruleWords(await vocabularyOf(options));
  const found = Object.entries(all).map(([title, rows]) => [title, rows.filter(fits)] as const);
  if (options.json === true) {
    out(`${JSON.stringify({ ...Object.fromEntries(found), ...ruleGrammar() })}\n`);
    return;
  }
  for (const [title, rows] of found) if (rows.length > 0) out(`${title}\n${table(rows)}\n`);
  if (found.every(([, rows]) => rows.length === 0)) out(`Nothing is called or means '${word}'.\n`);
}

function table(rows: readonly Row[]): string {
  const widthOf = (pick: (row: Row) => string) => Math.max(...rows.map((row) => pick(row).length));
  const name = widthOf((row) => row.name);
  const type = widthOf((row) => row.type);
  return rows
    .map((row) => `  ${row.name.padEnd(name)}  ${row.type.padEnd(type)}  ${[row.es, row.en].join(' · ')}`.trimEnd())
    .map((line) => `${line.replace(/ ·$/, '')}\n`)
    .join('');
}
