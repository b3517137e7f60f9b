// The texts of a replay's page and table, in both languages.
import type { GovernorSignal } from '../../decisions/governor-alert.ts';
import type { Quantity } from '../../decisions/worth/comparison.ts';
import type { ProposalKind } from '../../decisions/worth/proposals.ts';
import type { RuleMode } from '../../rules/rule.ts';
import type { Bilingual } from '../report-data.ts';
import type { Change, LabelKind, RuleChange } from './replay-data.ts';

/** In the order in which they are shown. */
export const QUANTITY_TEXTS: Readonly<Record<Exclude<Quantity, 'unlabelledAlerts'> | 'precision', Bilingual>> = {
  costMinor: { es: 'Costo total', en: 'Total cost' },
  caughtMinor: { es: 'Fraude detectado', en: 'Fraud caught' },
  missedMinor: { es: 'Fraude no detectado', en: 'Fraud missed' },
  caughtFrauds: { es: 'Fraudes detectados', en: 'Frauds caught' },
  missedFrauds: { es: 'Fraudes no detectados', en: 'Frauds missed' },
  alerts: { es: 'Alertas', en: 'Alerts' },
  goodAlerts: { es: 'Alertas sobre operaciones genuinas', en: 'Alerts on genuine transactions' },
  goodCustomers: { es: 'Clientes buenos afectados', en: 'Good customers touched' },
  precision: { es: 'Precisión', en: 'Precision' },
};

export const CHANGE_TEXTS: Readonly<Record<Change, Bilingual>> = {
  appears: { es: 'Alertas que aparecen', en: 'Alerts that appear' },
  disappears: { es: 'Alertas que desaparecen', en: 'Alerts that disappear' },
};

export const LABEL_TEXTS: Readonly<Record<LabelKind, Bilingual>> = {
  fraud: { es: 'fraude', en: 'fraud' },
  genuine: { es: 'genuina', en: 'genuine' },
  unknown: { es: 'sin etiqueta', en: 'no label' },
};

export const RULE_CHANGE_TEXTS: Readonly<Record<RuleChange, Bilingual>> = {
  new: { es: 'nueva', en: 'new' },
  removed: { es: 'quitada', en: 'removed' },
  changed: { es: 'cambiada', en: 'changed' },
  same: { es: 'igual', en: 'same' },
};

export const PROPOSAL_TEXTS: Readonly<Record<ProposalKind, Bilingual>> = {
  keep: { es: 'mantener', en: 'keep' },
  watch: { es: 'vigilar', en: 'watch' },
  retire: { es: 'retirar', en: 'retire' },
  promote: { es: 'pasar a vivo', en: 'put live' },
};

export const MODE_TEXTS: Readonly<Record<RuleMode, Bilingual>> = {
  live: { es: 'en vivo', en: 'live' },
  shadow: { es: 'en sombra', en: 'shadow' },
  off: { es: 'apagada', en: 'off' },
};

export const SIGNAL_TEXTS: Readonly<Record<GovernorSignal, Bilingual>> = {
  'blocked-share': { es: 'demasiadas retenciones y rechazos', en: 'too many holds and declines' },
  alerts: { es: 'demasiadas alertas', en: 'too many alerts' },
  silence: { es: 'casi ninguna alerta', en: 'hardly any alerts' },
  'degraded-share': { es: 'demasiadas decisiones tardías o incompletas', en: 'too many decisions late or incomplete' },
};

export const REPLAY_TEXTS = {
  title: { es: 'Repetición sobre la historia', en: 'Replay over history' },
  against: { es: 'frente a', en: 'against' },
  candidate: { es: 'Candidata', en: 'Candidate' },
  live: { es: 'En vivo', en: 'Live' },
  difference: { es: 'Diferencia', en: 'Difference' },
  interval: { es: 'Intervalo de 95 %', en: '95% interval' },
  withInterval: { es: 'con intervalo de 95 %', en: 'with 95% interval' },
  quantity: { es: 'Medida', en: 'Measure' },
  perAnalystDay: { es: 'Alertas por analista y día', en: 'Alerts per analyst-day' },
  saves: { es: 'La candidata ahorra', en: 'The candidate saves' },
  costs: { es: 'La candidata cuesta', en: 'The candidate costs' },
  noDifference: {
    es: 'La candidata decide igual que la versión en vivo',
    en: 'The candidate decides as the live version',
  },
  sure: { es: 'la diferencia es clara', en: 'the difference is clear' },
  unsure: { es: 'podría ser casualidad', en: 'it could be chance' },
  comparison: { es: 'Las dos versiones', en: 'The two versions' },
  money: { es: 'Diferencia en soles', en: 'Difference in soles' },
  moneyHint: {
    es: 'Candidata menos versión en vivo; la línea es el intervalo de 95 %.',
    en: 'Candidate minus live; the line is the 95% interval.',
  },
  changes: { es: 'Qué alertas cambian', en: 'Which alerts change' },
  otherAction: {
    es: 'alertas de ambas versiones cambian de acción',
    en: 'alerts of both versions change their action',
  },
  none: { es: 'Ninguna.', en: 'None.' },
  largest: { es: 'las mayores', en: 'the largest' },
  rules: { es: 'Qué vale cada regla', en: 'What each rule is worth' },
  rulesHint: {
    es: 'Solo ella: fraudes que sin la regla se aprobarían. Ahorro: lo que cambia el costo de la versión si se quita la regla.',
    en: 'Only it: frauds that would be approved without the rule. Saved: how the cost of the version changes without the rule.',
  },
  otherRules: { es: 'Reglas sin cambio', en: 'Rules without a change' },
  rule: { es: 'Regla', en: 'Rule' },
  hits: { es: 'Activaciones', en: 'Hits' },
  caught: { es: 'Fraude', en: 'Fraud' },
  unique: { es: 'Solo ella', en: 'Only it' },
  customers: { es: 'Clientes buenos', en: 'Good customers' },
  saved: { es: 'Ahorro', en: 'Saved' },
  proposal: { es: 'Propuesta', en: 'Proposal' },
  governor: { es: 'Regulador de seguridad', en: 'Safety governor' },
  governorQuiet: {
    es: 'No habría actuado en ninguna de las dos versiones.',
    en: 'It would not have acted in either version.',
  },
  governorHint: {
    es: 'Mientras actúa, lo más severo es pedir autenticación; del silencio solo se avisa. Se muestra aparte: las cifras son sin él.',
    en: 'While it acts, the severest action is a challenge; silence is only told. Shown on its own: the figures are without it.',
  },
  version: { es: 'Versión', en: 'Version' },
  bothVersions: { es: 'Ambas', en: 'Both' },
  more: { es: 'veces más', en: 'times more' },
  from: { es: 'Desde', en: 'From' },
  until: { es: 'Hasta', en: 'Until' },
  cause: { es: 'Causa', en: 'Cause' },
  toTheEnd: { es: 'el final', en: 'the end' },
  when: { es: 'Fecha', en: 'Date' },
  amount: { es: 'Monto', en: 'Amount' },
  who: { es: 'Cliente', en: 'Customer' },
  label: { es: 'Etiqueta', en: 'Label' },
  action: { es: 'Acción', en: 'Action' },
  why: { es: 'Por qué', en: 'Why' },
  risk: { es: 'riesgo del modelo', en: "model's risk" },
  notes: { es: 'Cómo se midió', en: 'How it was measured' },
  transactions: { es: 'Operaciones', en: 'Transactions' },
  frauds: { es: 'fraudes o errores conocidos', en: 'known frauds or errors' },
  unlabelled: { es: 'sin etiqueta, fuera del costo', en: 'without a label, not in the cost' },
  unpriced: { es: 'sin valor conocido en soles, cuentan como S/ 0', en: 'of unknown worth in soles, counted as S/ 0' },
  costNote: { es: 'Costos', en: 'Costs' },
  costReview: { es: 'revisar o autenticar', en: 'a review or challenge' },
  costWrong: { es: 'retener o rechazar una genuina', en: 'holding or declining a genuine one' },
  costLoss: { es: 'del monto se pierde en un fraude aprobado', en: 'of the amount is lost in an approved fraud' },
  costRight: { es: 'de las revisiones acierta el analista', en: 'of the reviews the analyst is right' },
  intervals: { es: 'Intervalos', en: 'Intervals' },
  byCustomer: {
    es: 'remuestreo de clientes enteros (500 réplicas): las operaciones de un cliente van juntas',
    en: "resampling of whole customers (500 replicates): one customer's transactions hang together",
  },
  byDay: {
    es: 'remuestreo de días enteros (500 réplicas): los fraudes de una campaña caen en los mismos días',
    en: 'resampling of whole days (500 replicates): the frauds of a campaign fall on the same days',
  },
  run: { es: 'Ejecución', en: 'Run' },
  featuresUsed: { es: 'variables calculadas', en: 'features computed' },
  analysts: { es: 'analistas', en: 'analysts' },
  analyst: { es: 'analista', en: 'analyst' },
} as const satisfies Readonly<Record<string, Bilingual>>;
