// A fitted detector as files for other programs.
//
// ONNX holds all of it and takes raw features. The files of Keras and PyTorch hold one network, whose inputs are prepared
// first: the preparation is written beside it as JSON, with a note that says what it is.
import { InputError } from '../lib/errors.ts';
import type { Artefact } from '../models/detector.ts';
import { decodeEnsemble } from '../models/gbdt/artefact.ts';
import { readForest } from '../models/isolation-forest/artefact.ts';
import { decodeNetworks } from '../models/network/artefact.ts';
import { FACTS_KEY } from '../models/onnx-model/model-facts.ts';
import { createPreparation } from '../models/preparation/preparation.ts';
import { NETWORK_FORMATS, type NetworkFormat, writeNetwork } from './network-files.ts';
import { networkModel } from './onnx/network-model.ts';
import { forestModel, gbdtModel } from './onnx/tree-model.ts';

export type ExportFormat = NetworkFormat | 'onnx';

export const EXPORT_FORMATS: readonly ExportFormat[] = [...NETWORK_FORMATS, 'onnx'];

export interface ExportedFile {
  /** Added to the name that the caller chose; '' for the model itself. */
  readonly suffix: string;
  readonly bytes: Uint8Array;
}

/**
 * @param member which network of several, counted from 1; null where there must be only one
 * @throws InputError where the detector has no such format, or several networks and none was chosen
 */
export async function exportDetector(
  detector: string,
  artefact: Artefact,
  format: ExportFormat,
  member: number | null,
): Promise<ExportedFile[]> {
  if (format !== 'onnx') return exportNetwork(detector, artefact, format, member);
  const facts = {
    features: artefact.features,
    answer: detector === 'isolation-forest' ? 'score' : 'probability',
  } as const;
  const features = JSON.stringify(facts);
  const metadata = { [FACTS_KEY]: features, 'centinela.detector': detector };
  return [
    { suffix: '', bytes: onnxModel(detector, artefact, metadata) },
    { suffix: '.features.json', bytes: text(`${features}\n`) },
  ];
}

function onnxModel(detector: string, artefact: Artefact, metadata: Readonly<Record<string, string>>): Uint8Array {
  switch (detector) {
    case 'gbdt':
      return gbdtModel(decodeEnsemble(artefact), { metadata });
    case 'isolation-forest':
      return forestModel(readForest(artefact), { metadata });
    case 'network': {
      const { networks, preparation } = decodeNetworks(artefact);
      return networkModel(networks, preparation, metadata);
    }
    default:
      throw notExportable(detector, 'to ONNX are exported: gbdt, isolation-forest and network');
  }
}

async function exportNetwork(
  detector: string,
  artefact: Artefact,
  format: NetworkFormat,
  member: number | null,
): Promise<ExportedFile[]> {
  if (detector !== 'network') {
    throw notExportable(detector, `to ${format} only a network is exported; use the format onnx`);
  }
  const { preparation, networks } = decodeNetworks(artefact);
  if (member === null ? networks.length > 1 : member < 1 || member > networks.length) {
    throw new InputError(
      'MEMBER_MISSING',
      `The detector is the mean of ${networks.length} network${networks.length === 1 ? '' : 's'}, and a ${format} file holds one`,
      `Choose a member from 1 to ${networks.length}, or the format onnx, which holds them all`,
    );
  }
  const { inputs, outputs, sourceColumns } = createPreparation(preparation);
  const about = {
    note: `The network takes ${outputs} prepared columns, made of ${inputs} features by 'plan' (src/models/preparation). The onnx format takes the features themselves.`,
    features: artefact.features,
    preparedColumns: Array.from(sourceColumns, (column) => artefact.features[column]),
    plan: preparation,
  };
  return [
    { suffix: '', bytes: await writeNetwork(networks[(member ?? 1) - 1], format) },
    { suffix: '.preparation.json', bytes: text(`${JSON.stringify(about, null, 1)}\n`) },
  ];
}

const text = (content: string) => new TextEncoder().encode(content);

function notExportable(detector: string, hint: string): InputError {
  return new InputError(
    'DETECTOR_NOT_EXPORTABLE',
    `The detector '${detector}' can't be exported so`,
    `What there is: ${hint}`,
  );
}
