// `models`: the registered models.
import { createFolderObjectStore } from '../adapters/files/folder-object-store.ts';
import { listModels, loadModel } from '../registry/model-store.ts';
import type { Command } from './command.ts';
import { detectorsHere } from './detectors-here.ts';

export const MODELS_OPTION = {
  type: 'text',
  value: 'DIR',
  help: 'the folder that models are kept in',
  default: 'out/registry',
} as const;

export const modelsCommand: Command = {
  name: 'models',
  summary: 'List the registered models.',
  positional: [],
  options: { registry: MODELS_OPTION },
  async run(_positional, options, { out }) {
    const store = createFolderObjectStore(options.registry as string);
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
  },
};
