// ITF (Impuesto a las Transacciones Financieras): 0.005 % of each credit or debit, rounded down to a multiple of
// S/ 0.05, so nothing below S/ 1,000. Some operations are exempt (own accounts, payroll, CTS), which a record does not tell.

const STEP_MINOR = 5;
const AMOUNT_PER_STEP_MINOR = 100_000;

/** The tax of an amount, both in céntimos. @param amountMinor 0 or more */
export function itfMinor(amountMinor: number): number {
  return Math.floor(amountMinor / AMOUNT_PER_STEP_MINOR) * STEP_MINOR;
}

/** True if some amount would give this tax: a positive multiple of S/ 0.05. */
export function isPossibleItf(taxMinor: number): boolean {
  return taxMinor > 0 && taxMinor % STEP_MINOR === 0;
}
