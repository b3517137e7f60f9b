// What the governor tells people: when it stepped in, returned, or found that nothing raises alerts any more; why, with the
// figures, and what changes for customers. A value: replay shows it, a service sends it on.
import type { RuleAction } from '../rules/rule.ts';
import { decimal, duration, integer, type Texts } from './reasons/format.ts';
import type { WindowFigures } from './sliding-counts.ts';

export const SIGNALS = ['blocked-share', 'alerts', 'degraded-share', 'silence'] as const;
export type GovernorSignal = (typeof SIGNALS)[number];

export type GovernorAlertKind = 'stepped-in' | 'returned' | 'fell-silent' | 'speaks-again';

export interface GovernorAlert {
  readonly kind: GovernorAlertKind;
  /** Event time of the decision that brought it. */
  readonly timeMs: number;
  /** What crossed its limit when it began. */
  readonly cause: GovernorSignal;
  /** Of the cause, now: a share in [0, 1]; of `alerts` how many there are. */
  readonly measured: number;
  /** What it was held against, in the same unit. */
  readonly limit: number;
  readonly windowMs: number;
  /** Of the window, as was intended without the governor. */
  readonly figures: WindowFigures;
  /** From now on nothing severer is done; null for no limit. */
  readonly severest: RuleAction | null;
  /** Since it began, ms; null where it begins. */
  readonly lastedMs: number | null;
  readonly text: Texts;
}

/** @param alert all but its text */
export function governorAlert(alert: Omit<GovernorAlert, 'text'>): GovernorAlert {
  const [head, figures, effect] = [headOf(alert), figuresText(alert), effectOf(alert)];
  const sentence = (locale: keyof Texts) => `${head[locale]}: ${figures[locale]}. ${effect[locale]}.`;
  return { ...alert, text: { es: sentence('es'), en: sentence('en') } };
}

function headOf({ kind, lastedMs }: Omit<GovernorAlert, 'text'>): Texts {
  const lasted = duration(lastedMs ?? 0);
  switch (kind) {
    case 'stepped-in':
      return { es: 'El regulador de seguridad intervino', en: 'The safety governor stepped in' };
    case 'returned':
      return {
        es: `El regulador de seguridad se retiró después de ${lasted.es}`,
        en: `The safety governor stepped back after ${lasted.en}`,
      };
    case 'fell-silent':
      return { es: 'Las reglas y el modelo casi no dan alertas', en: 'Rules and model hardly raise alerts' };
    case 'speaks-again':
      return {
        es: `Las reglas y el modelo vuelven a dar alertas después de ${lasted.es}`,
        en: `Rules and model raise alerts again after ${lasted.en}`,
      };
  }
}

/** What was measured, in the window, against which limit. */
export function figuresText({ cause, limit, windowMs, figures }: Omit<GovernorAlert, 'text'>): Texts {
  const { transactions, blocked, alerts, degraded, late } = figures;
  const window = duration(windowMs);
  const share = (count: number) => (transactions === 0 ? '—' : shareText(count / transactions));
  const of = (count: number) => `${integer(count)} / ${integer(transactions)} (${share(count)})`;
  switch (cause) {
    case 'blocked-share':
      return {
        es: `${of(blocked)} operaciones se retendrían o rechazarían en ${window.es}; el límite es ${shareText(limit)}`,
        en: `${of(blocked)} transactions would be held or declined in ${window.en}; the limit is ${shareText(limit)}`,
      };
    case 'alerts':
      return {
        es: `${integer(alerts)} alertas en ${window.es}; el límite es ${integer(limit)}`,
        en: `${integer(alerts)} alerts in ${window.en}; the limit is ${integer(limit)}`,
      };
    case 'degraded-share':
      return {
        es: `${of(degraded)} decisiones fuera de plazo o sin todos los datos en ${window.es}, ${integer(late)} de ellas fuera de plazo; el límite es ${shareText(limit)}`,
        en: `${of(degraded)} decisions past their deadline or without all they need in ${window.en}, ${integer(late)} of them past it; the limit is ${shareText(limit)}`,
      };
    case 'silence':
      return {
        es: `${of(alerts)} operaciones con alerta en ${window.es}; se espera ${shareText(limit)} por lo menos`,
        en: `${of(alerts)} transactions with an alert in ${window.en}; at least ${shareText(limit)} is expected`,
      };
  }
}

/** What it means for customers while nothing severer is done. */
const WHILE_ACTIVE: Readonly<Record<RuleAction, Texts>> = {
  approve: {
    es: 'Para los clientes: todo se aprueba mientras dure',
    en: 'For customers: everything is approved while it lasts',
  },
  review: {
    es: 'Para los clientes: nada se detiene mientras dure; lo sospechoso se revisa',
    en: 'For customers: nothing is stopped while it lasts; what is suspicious is reviewed',
  },
  challenge: {
    es: 'Para los clientes: mientras dure, en vez de retener o rechazar se les pide confirmar la operación',
    en: 'For customers: while it lasts they are asked to confirm a transaction that would be held or declined',
  },
  hold: {
    es: 'Para los clientes: mientras dure, en vez de rechazar se retiene',
    en: 'For customers: while it lasts what would be declined is held',
  },
  decline: { es: 'Para los clientes no cambia nada', en: 'Nothing changes for customers' },
};

function effectOf({ kind, severest }: Omit<GovernorAlert, 'text'>): Texts {
  switch (kind) {
    case 'stepped-in':
      return WHILE_ACTIVE[severest ?? 'decline'];
    case 'returned':
      return {
        es: 'Para los clientes: se vuelve a retener y rechazar como dicen las reglas y el modelo',
        en: 'For customers: transactions are held and declined again as rules and model say',
      };
    case 'fell-silent':
      return {
        es: 'Para los clientes no cambia nada, pero el fraude puede pasar sin que nadie lo vea: revise reglas, modelo y datos de entrada',
        en: 'Nothing changes for customers, but fraud may pass unseen: look at rules, model and incoming data',
      };
    case 'speaks-again':
      return { es: 'Para los clientes no cambia nada', en: 'Nothing changes for customers' };
  }
}

/** To a hundredth of a percent, so that what crossed a limit is not shown as the limit. */
function shareText(share: number): string {
  return `${decimal(share * 100, 2).replace(/\.?0+$/, '')} %`;
}
