// `features FILE`: the feature matrix as a table, row for row, ids first.
import { createTableWriter } from '../adapters/files/write-table.ts';
import { createFeatureEngine } from '../features/engine.ts';
import { engineLimits, fileDefinitions } from '../jobs/read-features.ts';
import { withLateLabels } from '../pipeline/late-labels.ts';
import type { Command } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { catalogueOf, FEATURES_OPTION, FILE_OPTIONS, fileOpener } from './file-options.ts';
import { createProgress } from './progress.ts';

export const featuresCommand: Command = {
  ...OUTLINES.features,
  options: {
    mapping: FILE_OPTIONS.mapping,
    'max-bad-share': FILE_OPTIONS['max-bad-share'],
    features: FEATURES_OPTION,
    out: { type: 'text', value: 'FILE', help: 'the file to write (.csv .csv.gz .parquet .ndjson)', required: true },
  },
  async run([path], options, context) {
    const { out, log, terminal, nowMs } = context;
    const started = nowMs();
    const progress = createProgress(log, terminal, nowMs);
    const reader = await fileOpener(path, options, context, null)();
    const definitions = fileDefinitions(reader, catalogueOf(options));
    const engine = withLateLabels(createFeatureEngine(definitions, engineLimits(reader)));
    const writer = await createTableWriter(options.out as string, [
      { name: 'id', type: 'text' },
      { name: 'eventTimeMs', type: 'integer' },
      ...definitions.map(({ id }) => ({ name: id, type: 'number' as const })),
    ]);
    let rows = 0;
    try {
      for await (const batch of reader) {
        const table = batch.map((transaction) => {
          const values = new Float64Array(definitions.length);
          engine.fold(transaction, values);
          return [
            transaction.id,
            transaction.eventTimeMs,
            ...Array.from(values, (value) => (Number.isNaN(value) ? null : value)),
          ];
        });
        await writer.write(table);
        rows += batch.length;
        progress.show('features', reader.progress());
      }
      await writer.close();
    } catch (error) {
      await writer.abort();
      throw error;
    }
    progress.done();
    const seconds = (nowMs() - started) / 1000;
    const figures = { rows, features: definitions.length, rowsPerSecond: Math.round(rows / seconds) };
    out(
      options.json === true
        ? `${JSON.stringify(figures)}\n`
        : `${rows.toLocaleString('en-US')} rows × ${definitions.length} features in ${seconds.toFixed(1)} s → ${options.out}\n`,
    );
  },
};
