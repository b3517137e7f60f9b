// `rules names [WORDS]`: all that rules may speak of, with types, units and meanings; reason codes, functions, lists, actions.
import { REASON_CODES } from '../decisions/reason-codes.ts';
import type { RuleInput } from '../decisions/rule-names.ts';
import { plainText } from '../lib/plain-text.ts';
import { FUNCTIONS } from '../rules/functions.ts';
import { OPERATORS, RULE_KEYS } from '../rules/language-data.ts';
import { describeType, type RuleName } from '../rules/names.ts';
import { UNITS } from '../rules/node.ts';
import { PROBLEM_CODES } from '../rules/problem.ts';
import { ACTIONS, MODES, SEVERITIES } from '../rules/rule.ts';
import { RESERVED, UNIT_SUFFIXES } from '../rules/tokens.ts';
import type { CommandContext, OptionValues } from './command.ts';
import { vocabularyOf } from './rule-options.ts';

interface Row {
  readonly name: string;
  readonly type: string;
  readonly es: string;
  readonly en: string;
}

export async function names(word: string | undefined, options: OptionValues, { out }: CommandContext): Promise<void> {
  const { names: known, lists } = await vocabularyOf(options);
  const words = plainText(word ?? '').split(/\s+/);
  const fits = ({ name, es, en }: Row) => words.every((each) => plainText(`${name} ${es} ${en}`).includes(each));
  const all = {
    names: [...known.values()].map(nameRow),
    functions: Object.entries(FUNCTIONS).map(([name, { parameters, variadic, result, meaning, unit }]) => ({
      ...{ name: `${name}(${parameters.join(', ')}${variadic ? ', …' : ''})`, type: result, ...meaning },
      ...{ function: name, parameters, variadic, ...(result === 'number' && { unit }) },
    })),
    lists: [...lists.keys()].map((name) => ({ name: `@${name}`, type: 'a list', es: '', en: '' })),
    reasons: Object.values(REASON_CODES).map(({ code, es, en }) => ({ name: code, type: 'a reason', es, en })),
  };
  const found = Object.entries(all).map(([title, rows]) => [title, rows.filter(fits)] as const);
  if (options.json === true) {
    const problems = Object.entries(PROBLEM_CODES).map(([code, meaning]) => ({ code, ...meaning }));
    const fixed = {
      ...{ actions: ACTIONS, severities: SEVERITIES, modes: MODES, keys: RULE_KEYS },
      ...{ operators: OPERATORS, reserved: [...RESERVED], suffixes: UNIT_SUFFIXES, units: UNITS, problems },
    };
    out(`${JSON.stringify({ ...Object.fromEntries(found), ...fixed })}\n`);
    return;
  }
  for (const [title, rows] of found) if (rows.length > 0) out(`${title}\n${table(rows)}\n`);
  if (found.every(([, rows]) => rows.length === 0)) out(`Nothing is called or means '${word}'.\n`);
}

/** With what an editor needs to offer operators and values: its type in parts, and what values can be. */
function nameRow(name: RuleName<RuleInput>) {
  const { type } = name;
  return {
    ...{ name: name.name, type: describeType(type), ...name.meaning, kind: type.kind },
    ...(type.kind === 'number' && { unit: type.unit }),
    ...('low' in name && { low: name.low }),
    ...('high' in name && { high: name.high }),
    ...('whole' in name && { whole: name.whole }),
    ...('values' in name && { values: name.values }),
  };
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
