// The fixed texts of the report and the terminal view, in both languages (the type makes a missing one an error).
import type { Bilingual, ReportDecision } from './report-data.ts';

export const DECISION_TEXTS: Readonly<Record<ReportDecision, Bilingual>> = {
  block: { es: 'Bloquear', en: 'Block' },
  hold: { es: 'Retener', en: 'Hold' },
  'step-up': { es: 'Autenticar', en: 'Step up' },
  review: { es: 'Revisar', en: 'Review' },
  allow: { es: 'Permitir', en: 'Allow' },
};

export const TERMINAL_TEXTS = {
  none: { es: 'Ninguna operación supera el umbral.', en: 'No transaction is above the threshold.' },
  score: { es: 'Riesgo', en: 'Risk' },
  decision: { es: 'Decisión', en: 'Decision' },
  amount: { es: 'Monto', en: 'Amount' },
  time: { es: 'Lima', en: 'Lima' },
  payer: { es: 'Ordenante', en: 'Payer' },
  reason: { es: 'Motivo principal', en: 'Main reason' },
} as const satisfies Readonly<Record<string, Bilingual>>;
