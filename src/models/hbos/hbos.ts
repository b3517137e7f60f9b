// HBOS: rarity by one histogram per feature (Goldstein and Dengel, "Histogram-based outlier score (HBOS)", KI 2012).
//
// A term is log2 of the highest bar's density over that of the value's bar, each with a floor so that an empty bar is
// rare and not impossible. Values a little outside the histogram belong to its end bars, those farther out to none.
import { InputError } from '../../lib/errors.ts';
import { type AdditiveMethod, createAdditiveDetector } from '../additive/additive-detector.ts';

/** Added to every density, in units of the uniform density over the training range. */
const DENSITY_FLOOR = 0.1;
/** Share of a bar's width by which a value may lie outside and still belong to it. */
export const HBOS_TOLERANCE = 0.5;
const MAX_BINS = 10_000;

export const hbosMethod: AdditiveMethod<{ readonly bins: number }> = {
  name: 'hbos',
  /** Bars of equal width per feature, 1–10,000. */
  defaults: { bins: 10 },
  maxRows: 100_000,
  learn({ rows, columns, values }, { bins }) {
    if (!Number.isInteger(bins) || bins < 1 || bins > MAX_BINS) {
      throw new InputError('OPTION_INVALID', `hbos: bins is ${bins}`, `Give a whole number in 1–${MAX_BINS}`);
    }
    const densities = new Float64Array(columns * bins);
    for (let at = 0; at < values.length; at++) {
      const bar = Math.min(bins - 1, Math.floor(values[at] * bins));
      densities[(at % columns) * bins + bar] += bins / rows;
    }
    return { numbers: { densities } };
  },
  prepare({ numbers: { densities } }, columns) {
    const bins = densities.length / columns;
    const rarity = new Float64Array(densities.length);
    const outside = new Float64Array(columns);
    for (let i = 0; i < columns; i++) {
      const bars = densities.subarray(i * bins, (i + 1) * bins);
      const highest = bars.reduce((a, b) => Math.max(a, b));
      const lowest = bars.reduce((a, b) => Math.min(a, b));
      bars.forEach((density, bar) => {
        rarity[i * bins + bar] = Math.log2((highest + DENSITY_FLOOR) / (density + DENSITY_FLOOR));
      });
      outside[i] = Math.log2((highest + DENSITY_FLOOR) / (lowest + DENSITY_FLOOR));
    }
    const margin = HBOS_TOLERANCE / bins;
    return (scaled, terms) => {
      for (let i = 0; i < columns; i++) {
        const bar = Math.max(0, Math.min(bins - 1, Math.floor(scaled[i] * bins)));
        const within = scaled[i] >= -margin && scaled[i] <= 1 + margin;
        terms[i] = within ? rarity[i * bins + bar] : outside[i];
      }
    };
  },
};

export const hbos = createAdditiveDetector(hbosMethod);
