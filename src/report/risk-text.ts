// How a risk is written: a probability as a percentage, an unlabelled score as how rare such a transaction is.
import type { Bilingual, ReportAnomaly } from './report-data.ts';

/** Nothing is certain: a probability is never shown as 100 %. */
const MOST_SHOWN = 0.999;

/** "84.6 %" where the probability is known; else "1 en 5,000": one transaction in so many is this unusual. */
export function riskText({ probability, score }: Pick<ReportAnomaly, 'probability' | 'score'>): Bilingual {
  if (probability !== null) {
    const percent = `${(Math.min(probability, MOST_SHOWN) * 100).toFixed(1)} %`;
    return { es: percent, en: percent };
  }
  const oneIn = roundToTwoDigits(1 / Math.max(1 - score, 1e-9));
  return { es: `1 en ${oneIn}`, en: `1 in ${oneIn}` };
}

function roundToTwoDigits(value: number): string {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return (Math.round(value / step) * step).toLocaleString('en-US');
}
