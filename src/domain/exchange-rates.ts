// Reference rates that bring amounts of several currencies to soles, so that a customer's dollars and soles add up.
//
// Interbank rate of 2026-01-13 as published by the BCRP (S/ 3.3582 per dollar); the euro from the same week, rounded. A
// habit is measured in orders of magnitude, so a rate some per cent off changes nothing; a missing one would.
export const REFERENCE_RATES_TO_PEN: Readonly<Record<string, number>> = { USD: 3.3582, EUR: 3.9 };
