// Reference rates that bring amounts of several currencies to soles, so that a customer's dollars and soles add up.
//
// Interbank rate of 2026-01-13 as published by the BCRP (S/ 3.3582 per dollar); the euro from the same week, rounded. A
// habit is measured in orders of magnitude, so a rate some per cent off changes nothing; a missing one would.
export const REFERENCE_RATES_TO_PEN: Readonly<Record<string, number>> = { USD: 3.3582, EUR: 3.9 };

/** What an amount is worth in céntimos of soles, without its sign; NaN for a currency without a reference rate. */
export function worthInSolesMinor(amountMinor: number, currency: string): number {
  const rate = currency === 'PEN' ? 1 : (REFERENCE_RATES_TO_PEN[currency] ?? Number.NaN);
  return Math.round(Math.abs(amountMinor) * rate);
}
