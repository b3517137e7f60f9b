// What a condition may speak of: names with their types and units, and how each is read from an input.
//
// The rules know nothing of features, models or lists: whoever puts a system together (decisions/rule-names.ts) says which
// names there are. A missing value is NaN for a number and null for a text or a truth.
import type { RuleUnit } from './node.ts';

export type ValueType =
  | { readonly kind: 'number'; readonly unit: RuleUnit }
  | { readonly kind: 'text' }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'texts' };

interface CommonName {
  readonly name: string;
  /** How dear reading it is, in units of one field; cheap conditions are looked at first. */
  readonly cost: number;
  readonly meaning: { readonly es: string; readonly en: string };
}

/** What rules read from: made once a transaction by whoever evaluates them. */
export interface NumberName<Input> extends CommonName {
  readonly type: Extract<ValueType, { kind: 'number' }>;
  /** What values can be, where that is known: conditions that can never or must always hold are found by it. */
  readonly low?: number;
  readonly high?: number;
  /** Only whole numbers. */
  readonly whole?: boolean;
  read(input: Input): number;
}

export interface TextName<Input> extends CommonName {
  readonly type: Extract<ValueType, { kind: 'text' }>;
  /** The only values, where there is a closed list. */
  readonly values?: readonly string[];
  read(input: Input): string | null;
}

export interface BooleanName<Input> extends CommonName {
  readonly type: Extract<ValueType, { kind: 'boolean' }>;
  read(input: Input): boolean | null;
}

export interface TextsName<Input> extends CommonName {
  readonly type: Extract<ValueType, { kind: 'texts' }>;
  readonly values?: readonly string[];
  read(input: Input): readonly string[];
}

export type RuleName<Input> = NumberName<Input> | TextName<Input> | BooleanName<Input> | TextsName<Input>;

/** A kept list as a condition sees it. */
export interface RuleList<Input> {
  readonly name: string;
  readonly cost: number;
  /** Is the value on the list at the time of the input? */
  has(value: string, input: Input): boolean;
  /** How like the name is the list's most similar one, in [0, 1]. */
  similarity(value: string, input: Input): number;
  /** Place on the list of the entry that the value is found at, or is most like; −1 where it is like none. */
  placeOf(value: string, input: Input): number;
}

export interface RuleVocabulary<Input> {
  readonly names: ReadonlyMap<string, RuleName<Input>>;
  readonly lists: ReadonlyMap<string, RuleList<Input>>;
  /** Did the rule with this number fire on the input? Rules are evaluated after those they ask about. */
  fired(input: Input, rule: number): boolean;
}

export const TYPE_TEXTS: Readonly<Record<ValueType['kind'], string>> = {
  number: 'a number',
  text: 'a text',
  boolean: 'a condition',
  texts: 'several texts',
};

export function describeType(type: ValueType): string {
  return type.kind === 'number' && type.unit !== 'plain' ? `a number (${type.unit})` : TYPE_TEXTS[type.kind];
}
