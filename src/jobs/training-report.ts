// Turns a training into what its page shows.
import type { Layer } from '../models/network/description.ts';
import { layerText } from '../models/network/layer-text.ts';
import { curvesIn } from '../models/network/observer.ts';
import type { TrainedDetector, TrainingReport } from '../report/training/training-data.ts';
import type { FileFeatures } from './read-features.ts';
import type { TrainedModel } from './train.ts';

export type TrainingFacts = Pick<
  TrainingReport,
  'fileName' | 'model' | 'seed' | 'seconds' | 'utcOffsetMinutes' | 'version' | 'createdMs'
>;

/** What is shown elsewhere on the page, or is as long as the table. */
const NO_SETTINGS = new Set(['history', 'bestEpochs', 'checksum']);
const LONGEST_SETTING = 200;

export function trainingReportOf(
  { model, metrics }: TrainedModel,
  { table, definitions }: FileFeatures,
  facts: TrainingFacts,
): TrainingReport {
  return {
    ...facts,
    rows: table.rows,
    periodMs: table.rows === 0 ? null : [table.timesMs[0], table.timesMs[table.rows - 1]],
    detectors: model.parts.map(({ detector, supervised }): TrainedDetector => {
      const { parameters } = detector.save();
      return { name: detector.name, supervised, settings: settingsOf(parameters), curves: curvesIn(parameters) };
    }),
    metrics,
    features: definitions.map(({ id, meaning }) => ({ id, meaning })),
  };
}

/** One level of nesting is told by its path: `network.layers`. */
function settingsOf(parameters: Readonly<Record<string, unknown>>): TrainedDetector['settings'] {
  return Object.entries(parameters).flatMap(([name, value]) => {
    if (NO_SETTINGS.has(name) || value === null || value === undefined) return [];
    if (name === 'network') {
      return settingsOf(value as Readonly<Record<string, unknown>>).map((each) => ({
        ...each,
        name: `network.${each.name}`,
      }));
    }
    const text = name === 'layers' ? (value as readonly Layer[]).map(layerText).join(' → ') : settingText(value);
    return text.length > LONGEST_SETTING ? [] : [{ name, value: text }];
  });
}

function settingText(value: unknown): string {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return JSON.stringify(value).replaceAll('"', '');
  return Object.entries(value)
    .filter(([, each]) => each !== null && !(Array.isArray(each) && each.length === 0))
    .map(([name, each]) => (name === 'kind' ? String(each) : `${name} ${settingText(each)}`))
    .join(', ');
}
