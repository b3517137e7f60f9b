// What the page of a training shows, as plain data.
import type { TrainingCurve } from '../../models/network/observer.ts';
import type { Bilingual } from '../report-data.ts';

export interface TrainedDetector {
  readonly name: string;
  readonly supervised: boolean;
  /** By the names of the options. */
  readonly settings: readonly { readonly name: string; readonly value: string }[];
  /** One per network; none where it has no networks. */
  readonly curves: readonly TrainingCurve[];
}

export interface TrainingReport {
  readonly fileName: string;
  /** `name@version` as it is registered. */
  readonly model: string;
  readonly rows: number;
  /** First and last event time; null without rows. */
  readonly periodMs: readonly [number, number] | null;
  readonly detectors: readonly TrainedDetector[];
  /** On later rows; null figures without labels there. */
  readonly metrics: {
    readonly evaluatedRows: number;
    readonly evaluatedFrauds: number;
    readonly aucRoc: number | null;
    readonly averagePrecision: number | null;
    readonly expectedCalibrationError: number | null;
  };
  readonly features: readonly { readonly id: string; readonly meaning: Bilingual }[];
  readonly seconds: number;
  readonly seed: number;
  readonly version: string;
  readonly createdMs: number;
  /** Time zone of the file's clock times, minutes east of UTC. */
  readonly utcOffsetMinutes: number;
}
