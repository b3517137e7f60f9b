// Whoever watches networks being trained: progress on a terminal, a limit of one's own.
import type { EpochLosses, TrainedNetwork } from './train.ts';

/** Which network of how many, and how many epochs it may take. */
export interface TrainingPlace {
  /** From 0. */
  readonly member: number;
  readonly members: number;
  readonly epochs: number;
}

/** How a network was trained, epoch by epoch. */
export type TrainingCurve = Omit<TrainedNetwork, 'network'>;

export interface TrainingObserver {
  /** After each epoch; `false` stops this network. */
  onEpoch(losses: EpochLosses, place: TrainingPlace): boolean | undefined;
  onNetwork(curve: TrainingCurve, place: TrainingPlace): void;
}

/** The part of a fitted detector's parameters that tells how its networks were trained. */
export interface StoredCurves {
  /** One list of epochs per network. */
  readonly history: readonly (readonly EpochLosses[])[];
  readonly bestEpochs: readonly number[];
}

/** @param parameters of an artefact; empty where it holds no networks, or is older than their curves */
export function curvesIn(parameters: Readonly<Record<string, unknown>>): TrainingCurve[] {
  const { history, bestEpochs } = parameters as Partial<StoredCurves>;
  if (history === undefined || bestEpochs === undefined) return [];
  return history.map((epochs, member) => ({ history: epochs, bestEpoch: bestEpochs[member] }));
}

export function storedCurves(curves: readonly TrainingCurve[]): StoredCurves {
  return { history: curves.map(({ history }) => history), bestEpochs: curves.map(({ bestEpoch }) => bestEpoch) };
}
