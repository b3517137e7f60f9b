// `score FILE --model ID --out FILE`: decisions for a file with a registered model.
import { createFolderObjectStore } from '../adapters/files/folder-object-store.ts';
import { createTableWriter } from '../adapters/files/write-table.ts';
import { createFeatureEngine } from '../features/engine.ts';
import { engineLimits, reasonWording } from '../jobs/read-features.ts';
import { isOnline } from '../models/detector.ts';
import { withLateLabels } from '../pipeline/late-labels.ts';
import { scoreAndLearn, scoreTransactions } from '../pipeline/score-transactions.ts';
import { loadModel, thresholdsOf } from '../registry/model-store.ts';
import { type Command, UsageError } from './command.ts';
import { detectorsHere } from './detectors-here.ts';
import { FILE_OPTIONS, fileOpener } from './file-options.ts';
import { MODELS_OPTION } from './models.ts';
import { createProgress } from './progress.ts';

export const scoreCommand: Command = {
  name: 'score',
  summary: 'Decide the transactions of a file with a registered model.',
  positional: ['FILE'],
  options: {
    mapping: FILE_OPTIONS.mapping,
    'max-bad-share': FILE_OPTIONS['max-bad-share'],
    model: {
      type: 'text',
      value: 'ID',
      help: "name@version, or a name for its newest version; see 'centinela models'",
      required: true,
    },
    registry: MODELS_OPTION,
    out: { type: 'text', value: 'FILE', help: 'the file to write (.csv .csv.gz .parquet .ndjson)', required: true },
    learn: {
      type: 'flag',
      help: 'detectors that learn online (half-space-trees) learn each row after it is decided; the registered model stays',
    },
    lang: { type: 'text', help: 'language of the reasons', choices: ['es', 'en'], default: 'es' },
  },
  async run([path], options, context) {
    const { out, log, terminal, nowMs } = context;
    const { id, model, description } = await loadModel(
      createFolderObjectStore(options.registry as string),
      options.model as string,
      detectorsHere(),
    );
    const learn = options.learn === true;
    if (learn && !model.parts.some(({ detector }) => isOnline(detector))) {
      throw new UsageError(
        `--learn: no detector of ${id} learns online; train one with --detectors half-space-trees, or leave --learn out`,
      );
    }
    const decide = learn ? scoreAndLearn : scoreTransactions;
    const started = nowMs();
    const locale = options.lang as 'es' | 'en';
    const progress = createProgress(log, terminal, nowMs);
    const reader = await fileOpener(path, options, context, null)();
    const engine = withLateLabels(createFeatureEngine(model.definitions, engineLimits(reader)));
    const wording = reasonWording(reader);
    const thresholds = thresholdsOf(description);
    const writer = await createTableWriter(options.out as string, [
      { name: 'id', type: 'text' },
      { name: 'eventTimeMs', type: 'integer' },
      { name: 'risk', type: 'number' },
      { name: 'decision', type: 'text' },
      { name: 'reasonCodes', type: 'text' },
      { name: 'reasons', type: 'text' },
      { name: 'model', type: 'text' },
    ]);
    let rows = 0;
    let flagged = 0;
    try {
      for await (const batch of reader) {
        const decisions = decide(batch, engine, model, thresholds, wording);
        await writer.write(
          decisions.map(({ transaction, risk, action, reasons }) => [
            transaction.id,
            transaction.eventTimeMs,
            risk,
            action,
            reasons.map(({ code }) => code).join('|'),
            reasons.map((reason) => reason[locale]).join(' · '),
            id,
          ]),
        );
        rows += batch.length;
        flagged += decisions.filter(({ action }) => action !== 'approve').length;
        progress.show('scoring', reader.progress());
      }
      await writer.close();
    } catch (error) {
      await writer.abort();
      throw error;
    }
    progress.done();
    const seconds = (nowMs() - started) / 1000;
    const figures = { rows, rowsPerSecond: Math.round(rows / seconds), flagged };
    out(
      options.json === true
        ? `${JSON.stringify(figures)}\n`
        : `${rows.toLocaleString('en-US')} rows, ${flagged.toLocaleString('en-US')} flagged by ${id} in ${seconds.toFixed(1)} s → ${options.out}\n`,
    );
  },
};
