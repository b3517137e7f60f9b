// The calendar's tables, to be edited each year: see docs/domain.md for how and for the sources.

export interface FixedHoliday {
  readonly month: number;
  readonly day: number;
  /** First year in which it was a national holiday (1990 or before: 1900). */
  readonly sinceYear: number;
  readonly es: string;
  readonly en: string;
}

/** National holidays with a fixed date; Jueves Santo and Viernes Santo are computed from Easter. */
export const FIXED_HOLIDAYS: readonly FixedHoliday[] = [
  { month: 1, day: 1, sinceYear: 1900, es: 'Año Nuevo', en: "New Year's Day" },
  { month: 5, day: 1, sinceYear: 1900, es: 'Día del Trabajo', en: 'Labour Day' },
  { month: 6, day: 7, sinceYear: 2024, es: 'Batalla de Arica y Día de la Bandera', en: 'Battle of Arica, Flag Day' },
  { month: 6, day: 29, sinceYear: 1900, es: 'San Pedro y San Pablo', en: 'Saints Peter and Paul' },
  { month: 7, day: 23, sinceYear: 2023, es: 'Día de la Fuerza Aérea', en: 'Air Force Day' },
  { month: 7, day: 28, sinceYear: 1900, es: 'Fiestas Patrias', en: 'Independence Day' },
  { month: 7, day: 29, sinceYear: 1900, es: 'Fiestas Patrias', en: 'Independence Day' },
  { month: 8, day: 6, sinceYear: 2022, es: 'Batalla de Junín', en: 'Battle of Junín' },
  { month: 8, day: 30, sinceYear: 1900, es: 'Santa Rosa de Lima', en: 'Saint Rose of Lima' },
  { month: 10, day: 8, sinceYear: 1900, es: 'Combate de Angamos', en: 'Battle of Angamos' },
  { month: 11, day: 1, sinceYear: 1900, es: 'Todos los Santos', en: "All Saints' Day" },
  { month: 12, day: 8, sinceYear: 1900, es: 'Inmaculada Concepción', en: 'Immaculate Conception' },
  { month: 12, day: 9, sinceYear: 2022, es: 'Batalla de Ayacucho', en: 'Battle of Ayacucho' },
  { month: 12, day: 25, sinceYear: 1900, es: 'Navidad', en: 'Christmas' },
];

export interface NonWorkingDay {
  /** yyyy-mm-dd */
  readonly date: string;
  readonly source: string;
}

/** Days declared non-working for the public sector by yearly decree. */
export const EXTRA_NON_WORKING_DAYS: readonly NonWorkingDay[] = [
  { date: '2026-01-02', source: 'press, 2025-12-30 (docs/domain.md)' },
];

export interface SaleCampaign {
  /** yyyy-mm-dd, first and last day */
  readonly from: string;
  readonly to: string;
  readonly name: string;
  readonly source: string;
}

/** On-line sale campaigns: card-not-present volume is two to four times the usual, with new merchants. */
export const SALE_CAMPAIGNS: readonly SaleCampaign[] = [
  { from: '2025-10-27', to: '2025-10-30', name: 'Cyber Days', source: 'press, 2025' },
  { from: '2025-11-03', to: '2025-11-07', name: 'Cyber Wow', source: 'press, 2025 (start); length assumed' },
];
