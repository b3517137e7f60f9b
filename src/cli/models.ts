// `models`: the registered models.

import { listModels, loadModel } from '../registry/model-store.ts';
import { type Command, type CommandContext, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { detectorsHere } from './detectors-here.ts';
import { EXPORT_OPTIONS, exportModel } from './models-export.ts';
import { IMPORT_OPTIONS, importFile } from './models-import.ts';
import { openObjectStore } from './object-store.ts';

export const MODELS_OPTION = {
  type: 'text',
  value: 'PLACE',
  help: 'where models are kept: a folder, or s3://bucket/prefix',
  default: 'out/registry',
} as const;

export const modelsCommand: Command = {
  ...OUTLINES.models,
  options: { registry: MODELS_OPTION, ...EXPORT_OPTIONS, ...IMPORT_OPTIONS },
  async run([action, what], options, context) {
    if (action === undefined) return list(options, context);
    if (action !== 'export' && action !== 'import') {
      throw new UsageError(`models: '${action}' is neither export nor import. Try 'centinela models --help'`);
    }
    if (what === undefined) throw new UsageError(`models ${action}: which ${action === 'export' ? 'model' : 'file'}?`);
    return action === 'export' ? exportModel(what, options, context) : importFile(what, options, context);
  },
};

async function list(options: OptionValues, { out }: CommandContext): Promise<void> {
  const store = openObjectStore(options.registry as string);
  const known = detectorsHere();
  const models = [];
  for (const id of await listModels(store)) {
    const { description, model } = await loadModel(store, id, known);
    models.push({
      id,
      createdAt: description.createdAt,
      detectors: model.parts.map(({ detector }) => detector.name),
      features: model.definitions.length,
      metrics: description.metrics,
    });
  }
  if (options.json === true) out(`${JSON.stringify({ models })}\n`);
  else if (models.length === 0) out("No models yet: make one with 'centinela train FILE'.\n");
  else
    for (const { id, createdAt, detectors, features } of models)
      out(`${id}  ${createdAt}  ${detectors.join(' + ')}  ${features} features\n`);
}
