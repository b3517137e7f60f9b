// All that rules may speak of, as a rule editor offers it: names with types, units and meanings, functions, lists, reason
// codes, operators, keys of a rule, problems.
import { REASON_CODES } from '../../decisions/reason-codes.ts';
import type { RuleInput } from '../../decisions/rule-names.ts';
import { FUNCTIONS } from '../../rules/functions.ts';
import { OPERATORS, RULE_KEYS } from '../../rules/language-data.ts';
import { describeType, type RuleName, type RuleVocabulary } from '../../rules/names.ts';
import { UNITS } from '../../rules/node.ts';
import { PROBLEM_CODES } from '../../rules/problem.ts';
import { ACTIONS, MODES, SEVERITIES } from '../../rules/rule.ts';
import { RESERVED, UNIT_SUFFIXES } from '../../rules/tokens.ts';

/** What may be looked for by words. */
export function ruleWords({ names, lists }: RuleVocabulary<RuleInput>) {
  return {
    names: [...names.values()].map(nameRow),
    functions: Object.entries(FUNCTIONS).map(([name, { parameters, variadic, result, meaning, unit }]) => ({
      ...{ name: `${name}(${parameters.join(', ')}${variadic ? ', …' : ''})`, type: result, ...meaning },
      ...{ function: name, parameters, variadic, ...(result === 'number' && { unit }) },
    })),
    lists: [...lists.keys()].map((name) => ({ name: `@${name}`, type: 'a list', es: '', en: '' })),
    reasons: Object.values(REASON_CODES).map(({ code, es, en }) => ({ name: code, type: 'a reason', es, en })),
  };
}

/** What is the same everywhere. */
export function ruleGrammar() {
  const problems = Object.entries(PROBLEM_CODES).map(([code, meaning]) => ({ code, ...meaning }));
  return {
    ...{ actions: ACTIONS, severities: SEVERITIES, modes: MODES, keys: RULE_KEYS },
    ...{ operators: OPERATORS, reserved: [...RESERVED], suffixes: UNIT_SUFFIXES, units: UNITS, problems },
  };
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
