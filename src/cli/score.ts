// `score FILE --model ID --out FILE`: decisions for a file with a registered model and rules.

import { createTableWriter } from '../adapters/files/write-table.ts';
import { learnsOnline, scoreFile } from '../jobs/score.ts';
import { loadModel } from '../registry/model-store.ts';
import { type Command, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { detectorsHere } from './detectors-here.ts';
import { FILE_OPTIONS, fileOpener } from './file-options.ts';
import { evaluatedRules } from './live-rules.ts';
import { MODELS_OPTION } from './models.ts';
import { openObjectStore } from './object-store.ts';
import { createProgress } from './progress.ts';
import { RULES_OPTION } from './rule-files.ts';

export const scoreCommand: Command = {
  ...OUTLINES.score,
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
    rules: RULES_OPTION,
    out: { type: 'text', value: 'FILE', help: 'the file to write (.csv .csv.gz .parquet .ndjson)', required: true },
    learn: {
      type: 'flag',
      help: 'detectors that learn online (half-space-trees) learn each row after it is decided; the registered model stays',
    },
    lang: { type: 'text', help: 'language of the reasons', choices: ['es', 'en'], default: 'es' },
  },
  async run([path], options, context) {
    const { out, log, terminal, nowMs } = context;
    const known = detectorsHere();
    const stored = await loadModel(openObjectStore(options.registry as string), options.model as string, known);
    const { id } = stored;
    const learn = options.learn === true;
    if (learn && !learnsOnline(stored)) {
      throw new UsageError(
        `--learn: no detector of ${id} learns online; train one with --detectors half-space-trees, or leave --learn out`,
      );
    }
    const rules = await evaluatedRules(options.rules, options, context, known);
    const started = nowMs();
    const locale = options.lang as 'es' | 'en';
    const progress = createProgress(log, terminal, nowMs);
    const reader = await fileOpener(path, options, context, null)();
    const writer = await createTableWriter(options.out as string, [
      { name: 'id', type: 'text' },
      { name: 'eventTimeMs', type: 'integer' },
      { name: 'risk', type: 'number' },
      { name: 'decision', type: 'text' },
      { name: 'reasonCodes', type: 'text' },
      { name: 'reasons', type: 'text' },
      { name: 'model', type: 'text' },
      { name: 'rules', type: 'text' },
      { name: 'modelRisk', type: 'number' },
    ]);
    let rows = 0;
    let flagged = 0;
    try {
      for await (const decisions of scoreFile({ reader, stored, rules, learn })) {
        await writer.write(
          decisions.map(({ transaction, risk, modelRisk, action, rules: said, reasons }) => [
            transaction.id,
            transaction.eventTimeMs,
            risk,
            action,
            reasons.map(({ code }) => code).join('|'),
            reasons.map((reason) => reason[locale]).join(' · '),
            id,
            said.join('|'),
            modelRisk,
          ]),
        );
        rows += decisions.length;
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
