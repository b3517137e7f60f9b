// How a partition asks a model's detectors: with a watch, and with an answer to the one that fails.
import type { Asking } from '../../decisions/risk-model.ts';
import type { Decider } from '../decide-transactions.ts';
import { REASONS } from '../explain-decision.ts';
import type { StepWatch } from './step-times.ts';

export interface DetectorFailure {
  /** Or `REASONS`, where a detector could not say why. */
  readonly detector: string;
  readonly message: string;
}

/** What was decided with a detector cannot be decided again, for it fails now; later, or elsewhere, it may not. */
export class DetectorFailedError extends Error {
  override readonly name = 'DetectorFailedError';
  readonly code = 'DETECTOR_FAILED';
}

interface How {
  readonly leftOut: readonly string[];
  readonly mayFail: boolean;
  /** Taken down here. */
  readonly failures: DetectorFailure[];
  readonly times: StepWatch;
}

export function askingOf({ leftOut, mayFail, failures, times }: How): Asking {
  return {
    leftOut,
    ask(detector, score) {
      try {
        return times.measureDetector(detector, score);
      } catch (error) {
        const { message } = error as Error;
        if (!mayFail) throw new DetectorFailedError(`detector ${detector} fails: ${message}`, { cause: error });
        failures.push({ detector, message });
        return null;
      }
    },
  };
}

/** What can be left out of its decisions, in one order for all. */
export function partsOfModel({ version: { model } }: Decider): string[] {
  return model === null ? [] : [...model.parts.map(({ detector }) => detector.name), REASONS];
}
