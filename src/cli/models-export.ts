// `models export ID`: a registered model as a file for an ONNX runtime, or a detector of it for that, Keras or PyTorch.
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { RiskModel } from '../decisions/risk-model.ts';
import { EXPORT_FORMATS, type ExportFormat, exportDetector, exportRiskModel } from '../interchange/export-detector.ts';
import type { FittedDetector } from '../models/detector.ts';
import { loadModel } from '../registry/model-store.ts';
import { type CommandContext, type OptionSpec, type OptionValues, UsageError } from './command.ts';
import { detectorsHere } from './detectors-here.ts';
import { openObjectStore } from './object-store.ts';

export const EXPORT_OPTIONS = {
  detector: {
    type: 'text',
    value: 'NAME',
    help: 'export: which detector of the model; to ONNX the whole model when not given',
  },
  format: { type: 'text', help: "export: the kind of file; as --out's ending when not given", choices: EXPORT_FORMATS },
  out: { type: 'text', value: 'FILE', help: 'export: where to' },
  member: {
    type: 'number',
    help: 'export: which network of several, for a file that holds one',
    minimum: 1,
    whole: true,
  },
} as const satisfies Record<string, OptionSpec>;

export async function exportModel(id: string, options: OptionValues, { out }: CommandContext): Promise<void> {
  const path = options.out as string | undefined;
  if (path === undefined) throw new UsageError('models export: --out FILE is missing');
  const format = formatOf(path, options.format as ExportFormat | undefined);
  const { model } = await loadModel(openObjectStore(options.registry as string), id, detectorsHere());
  const detector = chosenDetector(id, model, options.detector as string | undefined, format);
  const files =
    detector === null
      ? exportRiskModel(model)
      : await exportDetector(detector.name, detector.save(), format, (options.member ?? null) as number | null);
  await mkdir(dirname(path), { recursive: true });
  for (const { suffix, bytes } of files) await writeFile(path + suffix, bytes);
  const written = files.map(({ suffix, bytes }) => ({ path: path + suffix, bytes: bytes.length }));
  if (options.json === true)
    out(`${JSON.stringify({ model: id, detector: detector?.name ?? null, format, files: written })}\n`);
  else out(written.map((file) => `${file.path}  ${file.bytes.toLocaleString('en-US')} bytes\n`).join(''));
}

/** null for the whole model, which only ONNX holds. */
function chosenDetector(
  id: string,
  { parts }: RiskModel,
  given: string | undefined,
  format: ExportFormat,
): FittedDetector | null {
  const names = parts.map(({ detector }) => detector.name);
  if (given === undefined && format === 'onnx') return null;
  const wanted = given ?? (names.length === 1 ? names[0] : undefined);
  const part = parts.find(({ detector }) => detector.name === wanted);
  if (part !== undefined) return part.detector;
  throw new UsageError(`models export: --detector must be one of those of ${id}: ${names.join(', ')}`);
}

function formatOf(path: string, given: ExportFormat | undefined): ExportFormat {
  const ending = EXPORT_FORMATS.find((format) => path.endsWith(`.${format}`));
  if (given !== undefined && ending !== undefined && given !== ending) {
    throw new UsageError(`models export: --format ${given} would be written to ${path}; give that file another ending`);
  }
  const format = given ?? ending;
  if (format !== undefined) return format;
  throw new UsageError(`models export: --format is missing: one of ${EXPORT_FORMATS.join(', ')}`);
}
