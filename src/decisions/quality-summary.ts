// Counts the data-quality findings of a whole file for its report.
import type { Transaction } from '../domain/transaction.ts';
import { codesOfMask, QUALITY_CODES, type QualityCode, qualityMask } from './data-quality.ts';
import { REASON_CODES, type ReasonText } from './reason-codes.ts';

/** How many transaction ids a finding keeps as examples. */
const MAX_EXAMPLES = 5;

/** From this share of the rows on, the cause is the file or its mapping and not single records. */
const SYSTEMATIC_SHARE = 0.2;

export interface QualityCount {
  readonly code: QualityCode;
  readonly text: ReasonText;
  readonly rows: number;
  /** 0–1 of all rows */
  readonly share: number;
  /** True where so many rows show it that the file or its mapping is the likely cause. */
  readonly systematic: boolean;
  /** Ids of the first transactions that show it, at most 5. */
  readonly examples: readonly string[];
}

export interface QualitySummary {
  readonly rows: number;
  /** Rows with one finding or more. */
  readonly rowsWithFindings: number;
  /** Only the codes that occur, most frequent first. */
  readonly findings: readonly QualityCount[];
}

export interface QualityTally {
  /** Counts one transaction's findings. @param mask from `qualityMask` */
  add(mask: number, id: string): void;
  summary(): QualitySummary;
}

/** Counts as transactions stream by: memory does not grow with their number. */
export function createQualityTally(): QualityTally {
  const counts = new Map<QualityCode, { rows: number; examples: string[] }>();
  let rows = 0;
  let rowsWithFindings = 0;
  return {
    add(mask, id) {
      rows++;
      if (mask === 0) return;
      rowsWithFindings++;
      for (const code of codesOfMask(mask)) {
        const count = counts.get(code) ?? { rows: 0, examples: [] };
        counts.set(code, count);
        count.rows++;
        if (count.examples.length < MAX_EXAMPLES) count.examples.push(id);
      }
    },
    summary() {
      const findings = QUALITY_CODES.flatMap((code): QualityCount[] => {
        const count = counts.get(code);
        if (!count) return [];
        const share = count.rows / rows;
        const systematic = share >= SYSTEMATIC_SHARE;
        return [{ code, text: REASON_CODES[code], rows: count.rows, share, systematic, examples: [...count.examples] }];
      });
      return { rows, rowsWithFindings, findings: findings.sort((a, b) => b.rows - a.rows) };
    },
  };
}

/** The findings of transactions that are all at hand. */
export function summariseQuality(transactions: Iterable<Transaction>): QualitySummary {
  const tally = createQualityTally();
  for (const tx of transactions) tally.add(qualityMask(tx), tx.id);
  return tally.summary();
}
