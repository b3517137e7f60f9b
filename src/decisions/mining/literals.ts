// Single conditions that a mined rule may be made of, with the rows of the sample that each holds for.
//
// Thresholds come from where the frauds lie, rounded to numbers that a person would write.
import type { NumberName, RuleName } from '../../rules/names.ts';
import type { Expression } from '../../rules/node.ts';
import type { RuleInput } from '../rule-names.ts';
import { type Bits, countBits, createBits, setBit } from './bits.ts';
import type { MinedRow } from './sample.ts';

export interface Literal {
  /** A rule speaks of each name once. */
  readonly name: string;
  readonly expression: Expression;
  readonly frauds: Bits;
  readonly genuine: Bits;
}

export interface MinedNames {
  readonly numbers: readonly RuleName<RuleInput>[];
  readonly texts: readonly string[];
}

const QUANTILES = [0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98];
const MOST_LITERALS = 600;
/** A condition that nearly everything fulfils says nothing. */
const MOST_GENUINE_SHARE = 0.9;
const NICE = [1, 1.5, 2, 3, 4, 5, 6, 8, 10];
const SECOND = 1000;
const DURATIONS_MS = [
  ...[1, 2, 5, 10, 20, 30].map((minutes) => minutes * 60 * SECOND),
  ...[1, 2, 3, 6, 12].map((hours) => hours * 3600 * SECOND),
  ...[1, 2, 3, 5, 7, 10, 14, 21, 30, 60, 90].map((days) => days * 86_400 * SECOND),
];
const span = { from: 0, to: 0 };

export function literalsOf(
  names: MinedNames,
  frauds: readonly MinedRow[],
  genuine: readonly MinedRow[],
  minFrauds: number,
): Literal[] {
  const all = [
    ...names.numbers.flatMap((name, index) => {
      const column = (rows: readonly MinedRow[]) => Float64Array.from(rows, ({ numbers }) => numbers[index]);
      return numberLiterals(name, column(frauds), column(genuine));
    }),
    ...names.texts.flatMap((name, index) => {
      const column = (rows: readonly MinedRow[]) => rows.map(({ texts }) => texts[index]);
      return textLiterals(name, column(frauds), column(genuine), minFrauds);
    }),
  ];
  const lift = (literal: Literal) =>
    countBits(literal.frauds) / frauds.length / ((countBits(literal.genuine) + 1) / (genuine.length + 1));
  return all
    .filter(
      (literal) =>
        countBits(literal.frauds) >= minFrauds && countBits(literal.genuine) <= MOST_GENUINE_SHARE * genuine.length,
    )
    .map((literal) => ({ literal, lift: lift(literal) }))
    .sort((a, b) => b.lift - a.lift)
    .slice(0, MOST_LITERALS)
    .map(({ literal }) => literal);
}

function numberLiterals(name: RuleName<RuleInput>, frauds: Float64Array, genuine: Float64Array): Literal[] {
  const left: Expression = { kind: 'name', name: name.name, span };
  const make = (expression: Expression, holds: (value: number) => boolean): Literal => ({
    ...{ name: name.name, expression, frauds: bitsWhere(frauds, holds), genuine: bitsWhere(genuine, holds) },
  });
  if (name.type.kind === 'boolean') {
    const not: Expression = { kind: 'not', operand: left, span };
    return [make(left, (value) => value === 1), make(not, (value) => value === 0)];
  }
  if (name.type.kind !== 'number') return [];
  const { unit } = name.type;
  const number = name as NumberName<RuleInput>;
  const { low = Number.NEGATIVE_INFINITY, high = Number.POSITIVE_INFINITY } = number;
  return thresholdsOf(number, frauds).flatMap((threshold) => {
    const right: Expression = { kind: 'number', value: threshold, unit: unit === 'duration' ? 'duration' : null, span };
    const compared = (operator: '>=' | '<='): Expression => ({ kind: 'comparison', operator, left, right, span });
    // What must always hold is no rule.
    return [
      ...(threshold > low ? [make(compared('>='), (value) => value >= threshold)] : []),
      ...(threshold < high ? [make(compared('<='), (value) => value <= threshold)] : []),
    ];
  });
}

function thresholdsOf({ type: { unit }, whole }: NumberName<RuleInput>, frauds: Float64Array): number[] {
  const sorted = frauds.filter((value) => Number.isFinite(value)).sort();
  if (sorted.length === 0) return [];
  const rounded = QUANTILES.map((quantile) => {
    const value = sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))];
    if (whole === true) return Math.round(value);
    return unit === 'duration' ? nearestOf(DURATIONS_MS, value) : niceNumber(value);
  });
  return [...new Set(rounded)];
}

/** One or two digits, as a person would write it. */
export function niceNumber(value: number): number {
  if (value === 0) return 0;
  const power = 10 ** Math.floor(Math.log10(Math.abs(value)));
  const rounded = Math.sign(value) * nearestOf(NICE, Math.abs(value) / power) * power;
  return Number(rounded.toPrecision(2));
}

function nearestOf(choices: readonly number[], value: number): number {
  return choices.reduce((best, choice) => (Math.abs(choice - value) < Math.abs(best - value) ? choice : best));
}

function textLiterals(
  name: string,
  frauds: readonly (string | null)[],
  genuine: readonly (string | null)[],
  minFrauds: number,
): Literal[] {
  const counts = new Map<string, number>();
  for (const text of frauds) if (text !== null) counts.set(text, (counts.get(text) ?? 0) + 1);
  return [...counts]
    .filter(([, count]) => count >= minFrauds)
    .map(([value]) => {
      const left: Expression = { kind: 'name', name, span };
      const right: Expression = { kind: 'text', value, span };
      const expression: Expression = { kind: 'comparison', operator: '=', left, right, span };
      const holds = (text: string | null) => text === value;
      return { name, expression, frauds: bitsWhere(frauds, holds), genuine: bitsWhere(genuine, holds) };
    });
}

function bitsWhere<Value>(column: ArrayLike<Value>, holds: (value: Value) => boolean): Bits {
  const bits = createBits(column.length);
  for (let row = 0; row < column.length; row++) if (holds(column[row])) setBit(bits, row);
  return bits;
}
