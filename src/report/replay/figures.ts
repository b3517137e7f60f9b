// The figures of a comparison as texts: money in soles, differences with their sign.
import { decimal, integer } from '../../decisions/reasons/format.ts';
import type { Interval } from '../../decisions/worth/bootstrap.ts';
import type { ComparisonResult, Outcome } from '../../decisions/worth/comparison.ts';
import { formatMoney } from '../../domain/money.ts';
import type { Bilingual } from '../report-data.ts';
import { QUANTITY_TEXTS, REPLAY_TEXTS } from './replay-texts.ts';

export interface FigureRow {
  readonly label: Bilingual;
  readonly live: string;
  readonly candidate: string;
  readonly difference: string;
  readonly interval: string;
}

export function figureRows({ live, candidate, difference, days }: ComparisonResult, analysts: number): FigureRow[] {
  const row = (
    label: Bilingual,
    of: (outcome: Outcome) => { value: number; interval: Interval },
    text: Text,
  ): FigureRow => {
    const { value, interval } = of(difference);
    return {
      ...{ label, live: text(of(live).value), candidate: text(of(candidate).value), difference: signed(value, text) },
      interval: intervalText(interval, text),
    };
  };
  const rows = (Object.keys(QUANTITY_TEXTS) as (keyof typeof QUANTITY_TEXTS)[]).map((quantity) =>
    row(QUANTITY_TEXTS[quantity], (outcome) => outcome[quantity], textOf(quantity)),
  );
  const shareOfDay = days * analysts || 1;
  const perAnalyst = row(
    REPLAY_TEXTS.perAnalystDay,
    ({ alerts: { value, interval } }) => ({
      value: value / shareOfDay,
      interval: { low: interval.low / shareOfDay, high: interval.high / shareOfDay },
    }),
    (value) => decimal(value, 1),
  );
  const place = rows.findIndex(({ label }) => label === QUANTITY_TEXTS.alerts) + 1;
  return [...rows.slice(0, place), perAnalyst, ...rows.slice(place)];
}

type Text = (value: number) => string;

function textOf(quantity: keyof typeof QUANTITY_TEXTS): Text {
  if (quantity === 'precision') return shareOrNothing;
  return quantity.endsWith('Minor') ? solesText : integer;
}

function shareOrNothing(share: number): string {
  return Number.isNaN(share) ? '—' : `${decimal(share * 100, 1)} %`;
}

/** Whole soles: céntimos of a sum over months are noise. */
export function solesText(minor: number): string {
  const text = formatMoney(Math.round(minor / 100) * 100 + 0, 'PEN');
  return text.replace(/\.00$/, '');
}

export function signed(value: number, text: Text): string {
  const plain = text(Math.abs(value));
  if (!/[1-9]/.test(plain)) return plain;
  return `${value > 0 ? '+' : '−'}${plain}`;
}

export function intervalText({ low, high }: Interval, text: Text): string {
  return Number.isNaN(low) ? '—' : `${signed(low, text)} … ${signed(high, text)}`;
}
