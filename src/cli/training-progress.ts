// What is told of networks while they are trained: each epoch on a terminal, one line per network everywhere.
import type { TrainingObserver } from '../models/network/observer.ts';
import type { Progress } from './progress.ts';

/** @param stage what the job is at, for example `training on everything` */
export function observeTraining(
  progress: Progress,
  nowMs: () => number,
  stage: () => string,
): (detector: string) => TrainingObserver {
  return (detector) => {
    let firstEpochAtMs = 0;
    return {
      onEpoch({ epoch, loss, validationLoss }, { member, members, epochs }) {
        const now = nowMs();
        if (epoch === 1) firstEpochAtMs = now;
        const left = epoch > 1 ? ((now - firstEpochAtMs) / (epoch - 1)) * (epochs - epoch) : null;
        progress.say(
          `${nameOf(detector, member, members)}, epoch ${epoch}/${epochs}: ${lossesText(loss, validationLoss)}` +
            (left === null ? '' : `, ≤ ${Math.ceil(left / 1000)} s left`),
        );
        return undefined;
      },
      onNetwork({ history, bestEpoch }, { member, members }) {
        const { loss, validationLoss } = history[bestEpoch - 1];
        const epochs = `${history.length} epoch${history.length === 1 ? '' : 's'}, kept ${bestEpoch}`;
        progress.line(
          `centinela: ${stage()}: ${nameOf(detector, member, members)}: ${epochs}, ${lossesText(loss, validationLoss)}`,
        );
      },
    };
  };
}

function nameOf(detector: string, member: number, members: number): string {
  return members === 1 ? detector : `${detector} ${member + 1}/${members}`;
}

function lossesText(loss: number, validationLoss: number | null): string {
  return `loss ${loss.toFixed(4)}${validationLoss === null ? '' : `, validation ${validationLoss.toFixed(4)}`}`;
}
