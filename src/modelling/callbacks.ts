// What can be done after each epoch: stop, lower the learning rate, keep the best network. All are functions; one's own
// fit in beside them.
import { InputError } from '../lib/errors.ts';
import type { EpochAnswer, EpochEnd } from '../models/network/train.ts';

export interface EpochReport extends EpochEnd {
  /** At most so many are trained. */
  readonly epochs: number;
  /** Of the validation rows, by the metrics' names; empty without such rows. */
  readonly metrics: Readonly<Record<string, number>>;
}

export interface CallbackAnswer extends EpochAnswer {
  /** `fit` returns the network of the last epoch that was answered so, and that of the last epoch where none was. */
  readonly keep?: boolean;
}

/** Called after every epoch, from epoch 1, where it forgets what it knew of an earlier training. */
export type Callback = (report: EpochReport) => CallbackAnswer | undefined | Promise<CallbackAnswer | undefined>;

export interface Monitor {
  /** `validationLoss`, `loss` or a metric's name. */
  readonly monitor?: string;
  /** Whether a lower or a higher value is better; lower for losses and errors, higher for the rest. */
  readonly mode?: 'min' | 'max';
  /** A change smaller than this is no improvement, ≥ 0. */
  readonly minDelta?: number;
}

/** Stops after `patience` epochs without improvement and goes back to the best network (`restoreBest: false` does not). */
export function earlyStopping({
  patience,
  restoreBest = true,
  ...monitor
}: Monitor & { readonly patience: number; readonly restoreBest?: boolean }): Callback {
  checkPatience(patience);
  const watch = watcher(monitor);
  return (report) => {
    const { improved, waited } = watch(report);
    return { keep: restoreBest && improved, stop: waited >= patience };
  };
}

/** Multiplies the learning rate by `factor` after each `patience` epochs without improvement, down to `least`. */
export function reduceOnPlateau({
  patience,
  factor = 0.1,
  least = 0,
  ...monitor
}: Monitor & { readonly patience: number; readonly factor?: number; readonly least?: number }): Callback {
  checkPatience(patience);
  if (!(factor > 0 && factor < 1)) throw outOfRange('factor', factor, 'a number above 0 and below 1');
  const watch = watcher(monitor);
  return (report) => {
    const { waited } = watch(report);
    if (waited === 0 || waited % patience !== 0) return undefined;
    return { rateFactor: Math.min(1, Math.max(factor, least / report.learningRate)) };
  };
}

/** One line per epoch. @param write standard error where it is left out */
export function progressLines(write: (text: string) => void = (text) => process.stderr.write(text)): Callback {
  return ({ epoch, epochs, loss, validationLoss, metrics }) => {
    const figures = {
      loss,
      ...(validationLoss !== null && { 'validation loss': validationLoss }),
      ...metrics,
    };
    const words = Object.entries(figures).map(([name, value]) => `${name} ${value.toFixed(4)}`);
    write(`epoch ${String(epoch).padStart(String(epochs).length)}/${epochs}  ${words.join('  ')}\n`);
    return undefined;
  };
}

/** Whether each epoch's value is the best so far, and how many epochs it has not been. */
export function watcher({ monitor = 'validationLoss', mode, minDelta = 0 }: Monitor) {
  const sign = (mode ?? (/loss|error/i.test(monitor) ? 'min' : 'max')) === 'min' ? 1 : -1;
  let best = Number.POSITIVE_INFINITY;
  let waited = 0;
  return (report: EpochReport): { readonly improved: boolean; readonly waited: number } => {
    if (report.epoch === 1) [best, waited] = [Number.POSITIVE_INFINITY, 0];
    const value = sign * monitored(report, monitor);
    const improved = value < best - minDelta;
    waited = improved ? 0 : waited + 1;
    if (improved) best = value;
    return { improved, waited };
  };
}

function monitored(report: EpochReport, monitor: string): number {
  const { loss, validationLoss, metrics } = report;
  const value = { ...metrics, loss, validationLoss }[monitor] ?? null;
  if (value !== null) return value;
  throw new InputError(
    'MONITOR_MISSING',
    `There is no '${monitor}' to watch`,
    `There are loss${validationLoss === null ? '; give validation rows for validationLoss and the metrics' : `, validationLoss${Object.keys(metrics).map((name) => `, ${name}`)}`}`,
  );
}

function checkPatience(patience: number): void {
  if (!Number.isInteger(patience) || patience < 1) throw outOfRange('patience', patience, 'a whole number from 1');
}

function outOfRange(what: string, value: number, expected: string): InputError {
  return new InputError('CALLBACK_OPTION', `${what} is ${value}`, `It must be ${expected}`);
}
