// Scales and ticks of the charts.
import { type Html, html } from '../html.ts';
import type { Bilingual } from '../report-data.ts';

/** Coordinates with one decimal: enough for a screen, and a third of the bytes. */
export function px(value: number): string {
  const text = value.toFixed(1);
  return text.endsWith('.0') ? text.slice(0, -2) : text;
}

export function linear(from: number, to: number, start: number, end: number): (value: number) => number {
  const span = to - from;
  return (value) => (span === 0 ? (start + end) / 2 : start + ((value - from) / span) * (end - start));
}

/** Round numbers from 0 to at least `greatest`, about `count` steps. */
export function niceTicks(greatest: number, count: number): number[] {
  if (!(greatest > 0)) return [0];
  const rough = greatest / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= rough) ?? 10 * power;
  return Array.from({ length: Math.ceil(greatest / step - 1e-9) + 1 }, (_, index) => index * step);
}

/** 1, 10, 100 … up to the power of ten at or above `greatest`. */
export function powersOfTen(greatest: number): number[] {
  const last = Math.max(1, Math.ceil(Math.log10(Math.max(1, greatest)) - 1e-9));
  return Array.from({ length: last + 1 }, (_, index) => 10 ** index);
}

export interface TextPlace {
  readonly x: number;
  readonly y: number;
  readonly anchor?: 'start' | 'middle' | 'end';
  readonly className?: string;
}

/** Text in a chart, one element per language. */
export function svgText(text: Bilingual, { x, y, anchor = 'start', className = '' }: TextPlace): Html {
  const at = html`x="${px(x)}" y="${px(y)}" text-anchor="${anchor}" class="${className}"`;
  if (text.es === text.en) return html`<text ${at}>${text.es}</text>`;
  return html`<text ${at} lang="es">${text.es}</text><text ${at} lang="en">${text.en}</text>`;
}

/** `40 %` in Spanish, `40%` in English. */
export function percentTick(share: number): Bilingual {
  const number = String(Math.round(share * 1000) / 10);
  return { es: `${number} %`, en: `${number}%` };
}

/** The same text in both languages. */
export function same(text: string): Bilingual {
  return { es: text, en: text };
}

/** Moves labels apart: sorted positions at least `gap` from each other, within [least, greatest] where they fit. */
export function spread(positions: readonly number[], gap: number, least: number, greatest: number): number[] {
  const order = positions.map((position, index) => ({ position, index })).sort((a, b) => a.position - b.position);
  const placed = new Array<number>(positions.length);
  let previous = Number.NEGATIVE_INFINITY;
  for (const { position, index } of order) {
    placed[index] = Math.max(least, position, previous + gap);
    previous = placed[index];
  }
  const overflow = previous - greatest;
  if (overflow > 0) {
    let next = Number.POSITIVE_INFINITY;
    for (const { index } of [...order].reverse()) {
      placed[index] = Math.min(placed[index], greatest, next - gap);
      next = placed[index];
    }
  }
  return placed;
}
