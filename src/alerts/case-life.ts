// The life of a case, as two tracks, and who may take which step.
//
// What everybody sees: new → in progress → closed as fraud, as genuine or as an error of operations. What compliance alone sees:
// unusual → suspicious → reported, or discarded (Res. SBS 2660-2015; reported within 24 hours of the qualification). The second
// track is a record of its own, so that nothing of the first (state, counts, history, version) tells that it is there: nobody
// must be warned (no tipping-off). Every step of compliance, and closing a large case as genuine, takes two people.
import { InputError } from '../lib/errors.ts';
import { demandReason } from './suppression.ts';

export const OPEN_CASE_STATES = ['new', 'in-progress'] as const;
export const CLOSED_CASE_STATES = ['closed-fraud', 'closed-genuine', 'closed-error'] as const;
/** `merged`: part of another case, to which it redirects. */
export const CASE_STATES = [...OPEN_CASE_STATES, ...CLOSED_CASE_STATES, 'merged'] as const;
export type CaseState = (typeof CASE_STATES)[number];

/** Operación inusual, operación sospechosa, reportada (ROS), descartada. */
export const COMPLIANCE_STATES = ['unusual', 'suspicious', 'reported', 'discarded'] as const;
export type ComplianceState = (typeof COMPLIANCE_STATES)[number];

export type CaseStep = 'start' | 'close-fraud' | 'close-genuine' | 'close-error' | 'reopen';
export type ComplianceStep = 'refer' | 'qualify' | 'report' | 'discard' | 'resume';

export interface Doer {
  readonly kind: 'user' | 'api-key' | 'system';
  readonly id: string;
  /** Of identity/permissions.ts. */
  readonly permissions: ReadonlySet<string>;
}

export type StepVerdict<State> =
  | { readonly kind: 'done'; readonly to: State }
  /** A second person with all of these decides. */
  | { readonly kind: 'waits'; readonly to: State; readonly approver: readonly string[] };

interface StepRule<State> {
  readonly from: readonly State[];
  readonly to: State;
  readonly permission: string;
  readonly needsReason: boolean;
}

const CASE_STEPS: Readonly<Record<CaseStep, StepRule<CaseState>>> = {
  start: { from: ['new'], to: 'in-progress', permission: 'cases:work', needsReason: false },
  'close-fraud': { from: OPEN_CASE_STATES, to: 'closed-fraud', permission: 'cases:work', needsReason: true },
  'close-genuine': { from: OPEN_CASE_STATES, to: 'closed-genuine', permission: 'cases:work', needsReason: true },
  'close-error': { from: OPEN_CASE_STATES, to: 'closed-error', permission: 'cases:work', needsReason: true },
  reopen: { from: CLOSED_CASE_STATES, to: 'in-progress', permission: 'cases:work', needsReason: true },
};

/** An analyst refers a case without seeing what becomes of it. */
const COMPLIANCE_STEPS: Readonly<Record<ComplianceStep, StepRule<ComplianceState | null>>> = {
  refer: { from: [null], to: 'unusual', permission: 'cases:work', needsReason: true },
  qualify: { from: ['unusual'], to: 'suspicious', permission: 'cases:confidential', needsReason: true },
  report: { from: ['suspicious'], to: 'reported', permission: 'cases:confidential', needsReason: true },
  discard: { from: ['unusual', 'suspicious'], to: 'discarded', permission: 'cases:confidential', needsReason: true },
  resume: { from: ['discarded', 'reported'], to: 'unusual', permission: 'cases:confidential', needsReason: true },
};

const SECOND_PERSON = ['cases:approve'];
const SECOND_OF_COMPLIANCE = ['cases:approve', 'cases:confidential'];

export interface CaseSubject {
  readonly state: CaseState;
  readonly solesMinor: number;
  /** Transactions whose amount in soles is not known: they may be large. */
  readonly unknownAmounts: number;
}

/** @throws InputError where the step is not allowed to this person or from this state */
export function judgeCaseStep(
  { state, solesMinor, unknownAmounts }: CaseSubject,
  step: CaseStep,
  who: Doer,
  reason: string,
  fourEyesGenuineAboveMinor: number,
): StepVerdict<CaseState> {
  const to = judge(CASE_STEPS[step], state, step, who, reason);
  const isLarge = solesMinor > fourEyesGenuineAboveMinor || unknownAmounts > 0;
  return step === 'close-genuine' && isLarge ? { kind: 'waits', to, approver: SECOND_PERSON } : { kind: 'done', to };
}

/** @param state null where compliance does not know of the case yet */
export function judgeComplianceStep(
  state: ComplianceState | null,
  step: ComplianceStep,
  who: Doer,
  reason: string,
): StepVerdict<ComplianceState> {
  const to = judge(COMPLIANCE_STEPS[step], state, step, who, reason) as ComplianceState;
  return { kind: 'waits', to, approver: SECOND_OF_COMPLIANCE };
}

function judge<State>(rule: StepRule<State>, state: State, step: string, who: Doer, reason: string): State {
  demandPermission(who, [rule.permission]);
  if (!rule.from.includes(state)) {
    const from = rule.from.map((each) => each ?? 'none').join(', ');
    const what = `'${step}' is not possible: the state is '${state ?? 'none'}'`;
    throw new InputError('CASE_STATE_CONFLICT', what, `It is possible from: ${from}`);
  }
  if (rule.needsReason) demandReason(reason);
  return rule.to;
}

export interface WaitingStep {
  readonly requestedBy: string;
  readonly isConfidential: boolean;
}

/** @throws InputError unless somebody else, with the permissions, decides with a comment where it is a refusal */
export function judgeSecond(waiting: WaitingStep, who: Doer, isApproved: boolean, comment: string): void {
  demandPermission(who, waiting.isConfidential ? SECOND_OF_COMPLIANCE : SECOND_PERSON);
  if (who.kind !== 'user') {
    throw new InputError(
      'SECOND_PERSON_NEEDED',
      'The second pair of eyes is a person',
      'A user approves or refuses it',
    );
  }
  if (who.id === waiting.requestedBy) {
    throw new InputError('SECOND_PERSON_NEEDED', 'You asked for it yourself', 'Another person approves or refuses it');
  }
  if (!isApproved) demandReason(comment);
}

/** @throws InputError with code `FORBIDDEN` */
export function demandPermission(who: Doer, permissions: readonly string[]): void {
  const missing = permissions.filter((permission) => !who.permissions.has(permission));
  if (missing.length === 0) return;
  throw new InputError('FORBIDDEN', `This needs the permission ${missing.join(' and ')}`, 'Ask somebody who has it');
}

/** Whether somebody may know of compliance's part of cases. */
export function seesConfidential(permissions: ReadonlySet<string>): boolean {
  return permissions.has('cases:confidential');
}

/** The one state that is shown: for compliance its own, as long as it is at work on it or has reported. */
export function stateSeen(
  state: CaseState,
  compliance: ComplianceState | null,
  permissions: ReadonlySet<string>,
): CaseState | ComplianceState {
  if (compliance === null || !seesConfidential(permissions)) return state;
  const isSettled = compliance === 'discarded' && (CLOSED_CASE_STATES as readonly string[]).includes(state);
  return isSettled ? state : compliance;
}

export function isOpenCase(state: CaseState): boolean {
  return (OPEN_CASE_STATES as readonly string[]).includes(state);
}
