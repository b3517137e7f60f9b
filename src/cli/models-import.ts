// `models import FILE`: a model of Keras, PyTorch or ONNX becomes one that `train --detectors onnx:NAME` can use.
//
// A network is turned into an ONNX model, so that whatever was imported is served in one way. Nothing is trained here: what
// is ordinary, and how much the model is worth beside others, is learned by `train` from the transactions.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, extname } from 'node:path';
import { importModel } from '../interchange/import-model.ts';
import { ANSWER_KINDS } from '../models/onnx-model/onnx-model.ts';
import { type CommandContext, type OptionSpec, type OptionValues, UsageError } from './command.ts';
import { FACTS_SUFFIX, importedPath, MODEL_PREFIX } from './detectors-here.ts';

export const IMPORT_OPTIONS = {
  features: { type: 'text', value: 'FILE', help: "import: JSON list of the model's features, in its order" },
  name: { type: 'text', help: 'import: what the model is called from now on' },
  answer: { type: 'text', help: 'import: what the model answers', choices: ANSWER_KINDS },
  activations: {
    type: 'text',
    value: 'NAMES',
    help: 'import of .pt, .safetensors: one activation per Linear, separated by commas (relu,sigmoid)',
  },
  'activation-after': {
    type: 'text',
    help: 'import of .pt, .safetensors: where a Linear has an activation and a batch norm',
    choices: ['dense', 'batch-norm'],
  },
  epsilon: { type: 'number', help: "import of .pt, .safetensors: batch norm's", minimum: 1e-12, maximum: 1 },
  preparation: { type: 'text', value: 'FILE', help: 'import of a network: the .preparation.json of its export' },
} as const satisfies Record<string, OptionSpec>;

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

export async function importFile(path: string, options: OptionValues, { out }: CommandContext): Promise<void> {
  const name = options.name as string | undefined;
  if (name === undefined || !NAME.test(name)) {
    throw new UsageError("models import: --name NAME is missing or not of a–z, 0–9 and '-', at most 63");
  }
  const text = async (option: string) =>
    options[option] === undefined ? null : readFile(options[option] as string, 'utf8');
  const { model, facts } = await importModel(new Uint8Array(await readFile(path)), {
    ending: extname(path).slice(1).toLowerCase(),
    features: await text('features'),
    preparation: await text('preparation'),
    answer: (options.answer ?? null) as string | null,
    activations: (options.activations ?? null) as string | null,
    activationAfter: (options['activation-after'] ?? null) as 'dense' | 'batch-norm' | null,
    epsilon: (options.epsilon ?? null) as number | null,
  });
  const target = importedPath(options.registry as string, name);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target, model);
  await writeFile(target + FACTS_SUFFIX, `${JSON.stringify(facts)}\n`);
  const detector = MODEL_PREFIX + name;
  if (options.json === true) out(`${JSON.stringify({ detector, path: target, ...facts })}\n`);
  else {
    out(
      `${detector}: ${facts.features.length} features, answers with a ${facts.answer}; kept in ${target}\n` +
        `Next: npx centinela train FILE --detectors gbdt,${detector}\n`,
    );
  }
}
