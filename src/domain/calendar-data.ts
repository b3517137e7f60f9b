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

function declared(source: string, dates: readonly string[]): NonWorkingDay[] {
  return dates.map((date) => ({ date, source }));
}

/** Days declared non-working for the public sector by yearly decree (national ones only). */
export const EXTRA_NON_WORKING_DAYS: readonly NonWorkingDay[] = [
  ...declared('DS 151-2022-PCM', [
    '2023-01-02',
    '2023-04-28',
    '2023-06-30',
    '2023-07-27',
    '2023-10-09',
    '2023-12-07',
    '2023-12-26',
    '2024-01-02',
  ]),
  ...declared('DS 011-2024-PCM', [
    '2024-07-26',
    '2024-10-07',
    '2024-12-06',
    '2024-12-23',
    '2024-12-24',
    '2024-12-30',
    '2024-12-31',
  ]),
  ...declared('DS 066-2024-PCM', ['2024-07-27']),
  ...declared('DS 042-2025-PCM', ['2025-05-02', '2025-12-26', '2026-01-02']),
];

export interface SaleCampaign {
  /** yyyy-mm-dd, first and last day */
  readonly from: string;
  readonly to: string;
  readonly name: string;
  readonly source: string;
}

/** On-line sale campaigns with known dates: card-not-present volume is two to four times the usual, at new merchants. */
export const SALE_CAMPAIGNS: readonly SaleCampaign[] = [
  { from: '2021-04-19', to: '2021-04-23', name: 'Cyber Wow', source: 'press, April 2021' },
  { from: '2025-10-27', to: '2025-10-30', name: 'Cyber Days', source: 'press, October 2025' },
  { from: '2025-11-03', to: '2025-11-07', name: 'Cyber Wow', source: 'press, 2025 (start); five days assumed' },
  { from: '2025-11-28', to: '2025-12-01', name: 'Black Friday', source: 'press, November 2025' },
];

export interface UsualCampaign {
  readonly name: string;
  readonly month: number;
  /** Which Monday (1–4) of the month it starts on. */
  readonly monday: number;
  readonly days: number;
}

/** Where a campaign falls in the years that the table above does not have. ⚠ An assumption from the dates known. */
export const USUAL_CAMPAIGNS: readonly UsualCampaign[] = [
  { name: 'Cyber Wow', month: 4, monday: 3, days: 5 },
  { name: 'Cyber Wow', month: 7, monday: 2, days: 5 },
  { name: 'Cyber Wow', month: 11, monday: 1, days: 5 },
];
