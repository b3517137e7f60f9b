// What a rule and its condition are made of, as data: for those who read rules, and for editors that offer what there is.
import { ACTIONS, MODES, SEVERITIES } from './rule.ts';

export interface RuleKey {
  readonly key: string;
  readonly required: boolean;
  /** `day`: YYYY-MM-DD; `bilingual`: es and en; `condition`: a text, or all, any, not. */
  readonly kind:
    | 'id'
    | 'whole-number'
    | 'text'
    | 'bilingual'
    | 'choice'
    | 'reason'
    | 'day'
    | 'typologies'
    | 'condition';
  readonly choices?: readonly string[];
  readonly es: string;
  readonly en: string;
}

/** In the order in which they are written. */
export const RULE_KEYS: readonly RuleKey[] = [
  {
    key: 'id',
    required: true,
    kind: 'id',
    es: 'palabras en minúsculas unidas por -',
    en: 'lower case words joined by -',
  },
  { key: 'version', required: true, kind: 'whole-number', es: 'desde 1', en: 'from 1' },
  { key: 'name', required: true, kind: 'bilingual', es: 'nombre para analistas', en: 'name for analysts' },
  { key: 'owner', required: true, kind: 'text', es: 'quién responde por ella', en: 'who answers for it' },
  { key: 'severity', required: true, kind: 'choice', choices: SEVERITIES, es: 'gravedad', en: 'severity' },
  { key: 'reason', required: true, kind: 'reason', es: 'código de razón', en: 'reason code' },
  { key: 'action', required: true, kind: 'choice', choices: ACTIONS, es: 'qué se hace', en: 'what is done' },
  { key: 'mode', required: false, kind: 'choice', choices: MODES, es: 'si tiene voz', en: 'whether it has a say' },
  { key: 'from', required: false, kind: 'day', es: 'primer día en que cuenta', en: 'first day on which it counts' },
  { key: 'until', required: false, kind: 'day', es: 'primer día en que ya no', en: 'first day on which it does not' },
  { key: 'typologies', required: false, kind: 'typologies', es: 'F01–F20 y E01–E15', en: 'F01–F20 and E01–E15' },
  { key: 'notes', required: false, kind: 'text', es: 'por qué existe', en: 'why it exists' },
  { key: 'when', required: true, kind: 'condition', es: 'la condición', en: 'the condition' },
];

export interface Operator {
  readonly symbol: string;
  /** Of what stands around it; `same`: both sides are of one type and unit. */
  readonly takes: 'condition' | 'number' | 'same' | 'text' | 'anything';
  readonly gives: 'condition' | 'number' | 'same';
  readonly es: string;
  readonly en: string;
}

/** From the loosest to the tightest. */
export const OPERATORS: readonly Operator[] = [
  { symbol: 'or', takes: 'condition', gives: 'condition', es: 'o', en: 'or' },
  { symbol: 'and', takes: 'condition', gives: 'condition', es: 'y', en: 'and' },
  { symbol: 'not', takes: 'condition', gives: 'condition', es: 'no', en: 'not' },
  { symbol: '=', takes: 'same', gives: 'condition', es: 'igual', en: 'equal' },
  { symbol: '!=', takes: 'same', gives: 'condition', es: 'distinto', en: 'different' },
  { symbol: '<', takes: 'number', gives: 'condition', es: 'menor', en: 'less' },
  { symbol: '<=', takes: 'number', gives: 'condition', es: 'menor o igual', en: 'less or equal' },
  { symbol: '>', takes: 'number', gives: 'condition', es: 'mayor', en: 'greater' },
  { symbol: '>=', takes: 'number', gives: 'condition', es: 'mayor o igual', en: 'greater or equal' },
  {
    symbol: 'between … and …',
    takes: 'number',
    gives: 'condition',
    es: 'entre, con los extremos',
    en: 'between, ends count',
  },
  { symbol: 'in (…)', takes: 'same', gives: 'condition', es: 'uno de estos valores', en: 'one of these values' },
  { symbol: 'in @list', takes: 'text', gives: 'condition', es: 'está en la lista', en: 'is on the list' },
  { symbol: 'is known', takes: 'anything', gives: 'condition', es: 'se conoce', en: 'is known' },
  { symbol: 'is missing', takes: 'anything', gives: 'condition', es: 'falta', en: 'is missing' },
  { symbol: '??', takes: 'same', gives: 'same', es: 'si falta, esto', en: 'this where it is missing' },
  { symbol: '+', takes: 'number', gives: 'number', es: 'más', en: 'plus' },
  { symbol: '-', takes: 'number', gives: 'number', es: 'menos', en: 'minus' },
  { symbol: '*', takes: 'number', gives: 'number', es: 'por', en: 'times' },
  { symbol: '/', takes: 'number', gives: 'number', es: 'entre', en: 'divided by' },
];
