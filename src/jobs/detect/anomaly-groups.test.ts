import { expect, it } from 'vitest';
import { decide } from '../../decisions/verdict.ts';
import { createTransaction } from '../../domain/transaction.ts';
import { groupAnomalies } from './anomaly-groups.ts';
import type { Anomaly } from './detect.ts';

const LIMA_OFFSET_MINUTES = -300;

const VERDICT = decide(
  { id: 'T', modelRisk: 0.9, calibrated: true, amountMinor: 1000, hits: [], silenced: [] },
  { thresholds: { reviewAtRisk: 0.5, holdAtRisk: 1 }, control: null, severest: null },
);

function anomaly(
  row: number,
  codes: Readonly<Record<string, number>>,
  limaHour: number,
  fraud: boolean | null,
): Anomaly {
  return {
    row,
    transaction: createTransaction({
      id: `T${row}`,
      eventTimeMs: Date.UTC(2026, 0, 10, limaHour + 5, 30),
      amountMinor: 1000,
      currency: row % 2 === 0 ? 'PEN' : 'USD',
      channel: row % 4 === 0 ? 'web' : 'app',
      isFraud: fraud,
    }),
    verdict: VERDICT,
    calibrated: true,
    reasons: Object.entries(codes).map(([code, weight]) => ({ code, weight, features: [], es: '', en: '' })),
    byDetector: [],
  };
}

const NIGHT = { MONTO_FUERA_DE_PERFIL: 0.6, HORA_INUSUAL: 0.3 };
const DEVICE = { MONTO_FUERA_DE_PERFIL: 0.7, DISPOSITIVO_NUEVO: 0.25 };
/** Twenty, most of them at night and half of them frauds, eight on a new device by day, and one like no other. */
const anomalies = [
  ...Array.from({ length: 20 }, (_, i) => anomaly(i, NIGHT, i % 4 === 3 ? 12 : 23 + (i % 4), i % 2 === 0)),
  ...Array.from({ length: 8 }, (_, i) => anomaly(20 + i, DEVICE, 10, null)),
  anomaly(28, { PASO_RAPIDO: 0.9 }, 12, null),
];

it('groups anomalies by what sets their reasons apart, the largest group first, and leaves out one like no other', () => {
  const { groups, groupOf } = groupAnomalies({ anomalies, utcOffsetMinutes: LIMA_OFFSET_MINUTES }, 1);
  expect(groupOf).toEqual([...Array(20).fill(1), ...Array(8).fill(2), null]);
  expect(groups.map(({ number, count }) => [number, count])).toEqual([
    [1, 20],
    [2, 8],
  ]);
});

it('says of each what it shares, how much money, how many frauds, when and by what channel', () => {
  const [night, device] = groupAnomalies({ anomalies, utcOffsetMinutes: LIMA_OFFSET_MINUTES }, 1).groups;
  expect(night).toEqual({
    number: 1,
    count: 20,
    amounts: [
      { currency: 'PEN', rows: 10, amountMinor: 10_000 },
      { currency: 'USD', rows: 10, amountMinor: 10_000 },
    ],
    labels: { known: 20, positive: 10 },
    reasons: [
      { code: 'HORA_INUSUAL', share: 1 },
      { code: 'MONTO_FUERA_DE_PERFIL', share: 1 },
    ],
    channels: [
      { channel: 'app', share: 0.75 },
      { channel: 'web', share: 0.25 },
    ],
    // 23:30, 00:30 and 01:30; noon is left out.
    hours: { from: 23, to: 2, share: 0.75 },
    examples: [1, 2, 3],
  });
  expect(device.labels).toBeNull();
  expect(device.hours).toEqual({ from: 10, to: 11, share: 1 });
  expect(device.examples).toEqual([21, 22, 23]);
});

it('looks past a reason that nearly all share, and tells first what sets a group apart', () => {
  const kinds = ['RIESGO_DEL_TERMINAL', 'RECHAZOS_PREVIOS', 'PASO_RAPIDO'];
  const alike = Array.from({ length: 45 }, (_, i) => {
    const weak = 0.02 + ((i * 7) % 11) * 0.02;
    return anomaly(i, { MONTO_FUERA_DE_PERFIL: 1 - 2 * weak, [kinds[i % 3]]: weak }, 10, null);
  });
  const other = Array.from({ length: 4 }, (_, i) => anomaly(45 + i, { DISPOSITIVO_NUEVO: 0.9 }, 10, null));
  const { groups } = groupAnomalies({ anomalies: [...alike, ...other], utcOffsetMinutes: LIMA_OFFSET_MINUTES }, 1);
  expect(groups.map(({ reasons }) => reasons[0].code).sort()).toEqual([
    'DISPOSITIVO_NUEVO',
    'PASO_RAPIDO',
    'RECHAZOS_PREVIOS',
    'RIESGO_DEL_TERMINAL',
  ]);
});

it('makes no groups of a few, nor of anomalies that all have the same reasons or none', () => {
  const utcOffsetMinutes = LIMA_OFFSET_MINUTES;
  for (const few of [
    anomalies.slice(14, 25),
    anomalies.slice(0, 20),
    anomalies.map((each) => ({ ...each, reasons: [] })),
  ]) {
    expect(groupAnomalies({ anomalies: few, utcOffsetMinutes }, 1)).toEqual({
      groups: [],
      groupOf: few.map(() => null),
    });
  }
});
