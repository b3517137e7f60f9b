// A fitted detector as files for other programs.
//
// ONNX holds all of it and takes raw features. The files of Keras and PyTorch hold one network, whose inputs are prepared
// first: the preparation is written beside it as JSON, with a note that says what it is.
import type { RiskModel } from '../decisions/risk-model.ts';
import { InputError } from '../lib/errors.ts';
import type { Artefact } from '../models/detector.ts';
import { decodeNetworks } from '../models/network/artefact.ts';
import { createPreparation } from '../models/preparation/preparation.ts';
import { NETWORK_FORMATS, type NetworkFormat, writeNetwork } from './network-files.ts';
import { detectorModel, type OnnxFile, riskModel } from './onnx/onnx-files.ts';

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
  return filesOf(detectorModel(detector, artefact));
}

/** A whole risk model: from the features to the risk. */
export function exportRiskModel(model: RiskModel): ExportedFile[] {
  return filesOf(riskModel(model));
}

function filesOf({ bytes, facts }: OnnxFile): ExportedFile[] {
  return [
    { suffix: '', bytes },
    { suffix: '.features.json', bytes: text(`${facts}\n`) },
  ];
}

async function exportNetwork(
  detector: string,
  artefact: Artefact,
  format: NetworkFormat,
  member: number | null,
): Promise<ExportedFile[]> {
  if (detector !== 'network') {
    throw new InputError(
      'DETECTOR_NOT_EXPORTABLE',
      `The detector '${detector}' can't be exported to ${format}: only a network is exported so`,
      'Use the format onnx',
    );
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
