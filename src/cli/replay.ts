// `replay FILE --rules CANDIDATE`: what a candidate would have done with real history, next to the live version.
import { rename, writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { createLineWriter, readLines } from '../adapters/files/line-file.ts';
import { DEFAULT_GOVERNOR, type GovernorSettings } from '../decisions/governor.ts';
import { BOOTSTRAP_UNITS, type BootstrapUnit } from '../decisions/worth/bootstrap.ts';
import { type Replay, replay } from '../jobs/replay/replay.ts';
import type { VersionSpec } from '../jobs/replay/versions.ts';
import { InputError } from '../lib/errors.ts';
import { renderReplayReport } from '../report/replay/render-replay-report.ts';
import { type Command, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { catalogueOf, FEATURES_OPTION, FILE_OPTIONS, fileOpener, peakMemoryMb } from './file-options.ts';
import { parseThresholds, policyOf, RANGE_OPTIONS, rangeOf } from './history-options.ts';
import { keptListsOf, LISTS_OPTION, MODEL_OPTION, modelOf, readLiveRules } from './live-rules.ts';
import { createProgress } from './progress.ts';
import { replayJson, replayTable } from './replay-output.ts';
import { candidateRules, RULES_FOLDER_OPTION, readPlacedRules } from './rule-files.ts';
import { REGISTRY_OPTION } from './rule-options.ts';
import { COST_OPTIONS, costsOf } from './threshold-options.ts';
import { VERSION } from './version.ts';

export const replayCommand: Command = {
  ...OUTLINES.replay,
  options: {
    rules: {
      type: 'text',
      value: 'FILE|DIR',
      help: 'the candidate: a file replaces or joins the live rules by id (shadow rules as live), a folder is the whole set',
    },
    live: RULES_FOLDER_OPTION,
    model: { ...MODEL_OPTION, help: 'the live model, of both versions; rules alone when not given' },
    'candidate-model': { type: 'text', value: 'ID', help: 'another model for the candidate' },
    'candidate-thresholds': {
      type: 'text',
      value: 'T',
      help: "the candidate's thresholds: review=0.2,hold=0.9, or cost",
    },
    registry: REGISTRY_OPTION,
    lists: LISTS_OPTION,
    ...RANGE_OPTIONS,
    html: { type: 'text', value: 'FILE', help: 'write the report page' },
    decisions: { type: 'text', value: 'FILE', help: "write the candidate's decisions, a line of JSON each" },
    verify: {
      type: 'text',
      value: 'FILE',
      help: 'take the decisions of such a file again; exit code 1 unless every one is identical',
    },
    bootstrap: {
      type: 'text',
      help: 'confidence intervals by resampling customers, or days where frauds come in campaigns',
      choices: BOOTSTRAP_UNITS,
      default: 'customer',
    },
    analysts: { type: 'number', help: 'analysts who share the alerts of a day', default: 1, minimum: 1, whole: true },
    ...COST_OPTIONS,
    'governor-blocked-share': {
      type: 'number',
      help: 'the governor steps in above this share of an hour held or declined',
      default: DEFAULT_GOVERNOR.maxBlockedShare,
      minimum: 0,
      maximum: 1,
    },
    'governor-alerts': {
      type: 'number',
      help: 'and above so many alerts an hour',
      default: DEFAULT_GOVERNOR.maxAlerts,
      minimum: 1,
      whole: true,
    },
    'governor-min-alerts-share': {
      type: 'number',
      help: 'tell of silence where fewer than this share of a day have an alert; not watched when not given',
      minimum: 0,
      maximum: 1,
    },
    mapping: FILE_OPTIONS.mapping,
    'max-bad-share': FILE_OPTIONS['max-bad-share'],
    features: FEATURES_OPTION,
    seed: FILE_OPTIONS.seed,
    lang: { type: 'text', help: 'language of the page and the table', choices: ['es', 'en'], default: 'es' },
  },
  async run([path], options, context) {
    const { out, log, terminal, nowMs } = context;
    const started = nowMs();
    const { liveName, ...specs } = await specsOf(options, started);
    const lists = await keptListsOf(options, started);
    const range = rangeOf(options);
    const costs = costsOf(options);
    const progress = createProgress(log, terminal, nowMs);
    const reader = await fileOpener(path, options, context, null)();
    const writer = typeof options.decisions === 'string' ? await createLineWriter(options.decisions) : null;
    let done: Replay;
    try {
      done = await replay({
        ...{ reader, ...specs, lists, range, costs, catalogue: catalogueOf(options), governor: governorOf(options) },
        ...{ unit: options.bootstrap as BootstrapUnit, seed: options.seed as number },
        writeLines: writer === null ? null : (lines) => writer.write(lines),
        verifyLines: typeof options.verify === 'string' ? readLines(options.verify) : null,
        onProgress: (share) => progress.show('replaying', share),
      });
      await writer?.close();
    } catch (error) {
      await writer?.abort();
      throw error;
    }
    progress.done();
    const seconds = (nowMs() - started) / 1000;
    const settings = {
      ...{
        fileName: basename(path),
        analysts: options.analysts as number,
        costs,
        unit: options.bootstrap as BootstrapUnit,
      },
      ...{ seed: options.seed as number, seconds, memoryMb: peakMemoryMb(), version: VERSION, createdMs: nowMs() },
      ...{ utcOffsetMinutes: reader.utcOffsetMinutes, ...namesOf(options, liveName) },
    };
    const locale = options.lang as 'es' | 'en';
    if (typeof options.html === 'string') {
      await writeFile(`${options.html}.tmp`, renderReplayReport(done, settings, locale));
      await rename(`${options.html}.tmp`, options.html);
    }
    if (options.json === true) out(`${JSON.stringify(replayJson(done, settings))}\n`);
    else out(replayTable(done, settings, locale));
    failUnlessIdentical(done, options);
  },
};

/** How the two versions are called. */
function namesOf(options: OptionValues, liveRules: string) {
  const model = (options.model ?? '') as string;
  const parts = (...words: unknown[]) => words.filter((word) => word !== undefined && word !== '').join(' + ');
  return {
    liveName: parts(liveRules, model),
    candidateName: parts(
      options.rules ?? liveRules,
      options['candidate-model'] ?? model,
      options['candidate-thresholds'],
    ),
  };
}

async function specsOf(
  options: OptionValues,
  nowMs: number,
): Promise<{ liveName: string; live: VersionSpec; candidate: VersionSpec }> {
  const { rules, model, verify, decisions } = options;
  const candidateModel = options['candidate-model'] ?? model;
  const thresholds = options['candidate-thresholds'];
  const nothingNew = rules === undefined && options['candidate-model'] === undefined && thresholds === undefined;
  if (nothingNew && verify === undefined && decisions === undefined) {
    throw new UsageError('what is the candidate? Give --rules, --candidate-thresholds or --candidate-model');
  }
  const live = await readLiveRules(options.live, options, nowMs);
  const { overrides } = live;
  const candidate = typeof rules === 'string' ? candidateRules(live.rules, await readPlacedRules(rules)) : live.rules;
  const liveModel = await modelOf(model, options);
  const newModel = candidateModel === model ? liveModel : await modelOf(candidateModel, options);
  const own = typeof thresholds === 'string' ? parseThresholds(thresholds, newModel, costsOf(options)) : null;
  return {
    liveName: live.name,
    live: { rules: live.rules, overrides, model: liveModel, policy: policyOf(liveModel, null) },
    candidate: { rules: candidate, overrides, model: newModel, policy: policyOf(newModel, own) },
  };
}

function governorOf(options: OptionValues): GovernorSettings {
  return {
    ...DEFAULT_GOVERNOR,
    maxBlockedShare: options['governor-blocked-share'] as number,
    maxAlerts: options['governor-alerts'] as number,
    minAlertsShare: (options['governor-min-alerts-share'] as number | undefined) ?? null,
  };
}

/** The decisions as they were are a promise; a broken one is a failure of the command. */
function failUnlessIdentical({ verification }: Replay, { verify }: OptionValues): void {
  if (verification === null) return;
  const { different, onlyInFile, onlyInLog, firstDifferences } = verification;
  if (different + onlyInFile + onlyInLog === 0) return;
  const [first] = firstDifferences;
  throw new InputError(
    'DECISIONS_DIFFER',
    `${verify}: ${different} decisions are not identical, ${onlyInFile} are not in it, ${onlyInLog} are not in the file${first === undefined ? '' : `; the first is ${first.id} (${first.fields.join(', ')})`}`,
    'The file, the program or the log has changed since',
  );
}
