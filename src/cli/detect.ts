// `detect FILE`: the main job on a file: ranked anomalies with reasons, report.html, anomalies.csv, rejected.csv.
import { rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { createTableWriter } from '../adapters/files/write-table.ts';
import { groupAnomalies } from '../jobs/detect/anomaly-groups.ts';
import { type Detection, detect } from '../jobs/detect/detect.ts';
import { anomaliesOf, reportOf } from '../jobs/detect/report-of.ts';
import { anomalyColumns, anomalyTableRows } from '../report/anomaly-table.ts';
import { renderReport } from '../report/render-report.ts';
import type { ReportAnomaly, ReportData } from '../report/report-data.ts';
import { renderTerminalTable } from '../report/terminal-table.ts';
import { type Command, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { detectorsAsked, MODEL_PREFIX } from './detectors-here.ts';
import {
  catalogueOf,
  DETECTORS_WITH_MODELS_OPTION,
  detectorNames,
  FILE_OPTIONS,
  fileOpener,
  makeFolder,
  noteLeftOut,
  peakMemoryMb,
  TRAINING_OPTIONS,
  tableOptions,
} from './file-options.ts';
import { evaluatedRules } from './live-rules.ts';
import { MODELS_OPTION } from './models.ts';
import { NETWORK_OPTIONS, networkSettings } from './network-options.ts';
import { createProgress } from './progress.ts';
import { RULES_OPTION } from './rule-files.ts';
import { COST_OPTIONS, costsOf } from './threshold-options.ts';
import { VERSION } from './version.ts';

const DAY_MS = 86_400_000;

export const detectCommand: Command = {
  ...OUTLINES.detect,
  options: {
    ...FILE_OPTIONS,
    out: { type: 'text', value: 'DIR', help: 'where report.html, anomalies.csv and rejected.csv go', default: 'out' },
    top: {
      type: 'number',
      help: 'how many anomalies to show in the report',
      default: 50,
      minimum: 1,
      maximum: 500,
      whole: true,
    },
    ...TRAINING_OPTIONS,
    thresholds: {
      type: 'text',
      value: 'BY',
      help: 'flag the riskiest --review-share, or what is cheapest by probability and amount',
      choices: ['share', 'cost'],
      default: 'share',
    },
    ...COST_OPTIONS,
    ...NETWORK_OPTIONS,
    detectors: DETECTORS_WITH_MODELS_OPTION,
    rules: RULES_OPTION,
    registry: { ...MODELS_OPTION, help: 'where the models of onnx:NAME are' },
    lang: { type: 'text', help: 'language of the report and the table', choices: ['es', 'en'], default: 'es' },
  },
  async run([path], options, context) {
    const { out, log, terminal, nowMs } = context;
    const started = nowMs();
    const folder = options.out as string;
    const locale = options.lang as 'es' | 'en';
    const top = options.top as number;
    const names = options.detectors as string;
    const asked = { names, registry: options.registry as string, network: networkSettings(options, names) };
    const known = detectorsAsked(asked);
    const detectors = detectorNames(options, known);
    checkOneModel(detectors);
    const rules = await evaluatedRules(options.rules, options, context, known);
    await makeFolder(folder);
    const progress = createProgress(log, terminal, nowMs);
    const open = fileOpener(path, options, context, join(folder, 'rejected.csv'));
    const detection = await detect({
      open,
      ...tableOptions(options),
      catalogue: catalogueOf(options),
      rules,
      detectors,
      known,
      secondThread: { module: workerEntry(), data: asked },
      reviewShare: options['review-share'] as number,
      byCost: options.thresholds === 'cost',
      costs: costsOf(options),
      top,
      labelDelayMs: (options['label-delay-days'] as number) * DAY_MS,
      maxTrainingRows: options['training-rows'] as number,
      seed: options.seed as number,
      onProgress: (what, share) => progress.show(what, share),
    });
    progress.done();
    noteLeftOut(detectors, [...detection.scores.byDetector.keys()], log);
    const seconds = (nowMs() - started) / 1000;
    const groups = groupAnomalies(detection, options.seed as number);
    const report = reportOf(detection, groups, {
      fileName: basename(path),
      seconds,
      seed: options.seed as number,
      version: VERSION,
      createdMs: nowMs(),
      top,
    });
    await writeResults(folder, report, anomaliesOf(detection, groups), locale);
    detection.table.close();
    if (options.json === true)
      out(`${JSON.stringify(jsonOf(detection, report, (nowMs() - started) / 1000, locale))}\n`);
    else {
      out(
        renderTerminalTable(report, {
          locale,
          colour: terminal,
          width: process.stdout.columns ?? 120,
          limit: Math.min(top, 15),
        }),
      );
      out(
        `\n${['report.html', 'anomalies.csv', ...(detection.read.rejected > 0 ? ['rejected.csv'] : [])]
          .map((name) => join(folder, name))
          .join(' · ')} · ${seconds.toFixed(1)} s\n`,
      );
    }
  },
};

/** Scores are kept by the detector's name, which is the same for all models of one's own. */
function checkOneModel(detectors: string): void {
  const models = detectors.split(',').filter((name) => name.trim().startsWith(MODEL_PREFIX));
  if (models.length > 1) throw new UsageError(`--detectors: one model of your own at a time, not ${models.length}`);
}

/** The other thread's module, with the same file extension as this file: .ts from the sources, .js from the build. */
function workerEntry(): URL {
  const extension = import.meta.url.slice(import.meta.url.lastIndexOf('.'));
  return new URL(`detect.worker${extension}`, import.meta.url);
}

async function writeResults(
  folder: string,
  report: ReportData,
  anomalies: readonly ReportAnomaly[],
  locale: 'es' | 'en',
): Promise<void> {
  const page = join(folder, 'report.html');
  await writeFile(`${page}.tmp`, renderReport(report, locale));
  await rename(`${page}.tmp`, page);
  const writer = await createTableWriter(
    join(folder, 'anomalies.csv'),
    anomalyColumns.map((name) => ({ name, type: 'text' })),
  );
  await writer.write(anomalyTableRows({ anomalies }));
  await writer.close();
}

function jsonOf(detection: Detection, report: ReportData, seconds: number, locale: 'es' | 'en') {
  return {
    rows: detection.table.rows,
    rejected: detection.read.rejected,
    flagged: detection.flagged.length,
    detectors: [...detection.scores.byDetector.keys()],
    features: detection.definitions.length,
    seconds,
    rowsPerSecond: Math.round(detection.table.rows / seconds),
    peakMemoryMb: peakMemoryMb(),
    evaluation:
      report.evaluation?.detectors.map(({ name, aucRoc, averagePrecision }) => ({ name, aucRoc, averagePrecision })) ??
      null,
    costPerDay: costsJson(report),
    top: report.anomalies.map(({ id, score, decision, reasons }) => ({
      id,
      score,
      decision,
      reasons: reasons.map((reason) => reason[locale]),
    })),
  };
}

/** Soles a day on the evaluated rows. */
function costsJson({ costs }: ReportData) {
  if (costs === null) return null;
  const soles = (minor: number) => minor / 100;
  return {
    approveAllSoles: soles(costs.approveAllPerDayMinor),
    policySoles: soles(costs.chosen.costPerDayMinor),
    savedSoles: soles(costs.approveAllPerDayMinor - costs.chosen.costPerDayMinor),
    flaggedPerDay: costs.chosen.flaggedPerDay,
  };
}
