// Models at rest: each version is a folder of a manifest that a person can read and the detectors' numbers.
//
// models/<name>/<version>/manifest.json names every file with its SHA-256, so that a model that scores is the model that
// was approved. Versions are never overwritten; the manifest is written last, so a folder without one is no model.
import { createHash } from 'node:crypto';
import { DEFAULT_HOLD_AT_RISK, type DecisionThresholds } from '../decisions/decision.ts';
import type { RiskModel } from '../decisions/risk-model.ts';
import type { LearntEvidence } from '../decisions/rule-evidence.ts';
import type { FeatureDefinition } from '../features/definition.ts';
import { AS_IS, readCalibration } from '../models/calibration.ts';
import type { Artefact } from '../models/detector.ts';
import type { KnownDetector } from '../models/detectors.ts';
import type { Stacking } from '../models/stacking.ts';
import type { ObjectStore } from '../ports.ts';
import { ModelError, type PackedPart, packModel, unpackModel } from './packed-model.ts';

/** What is said of a model besides its numbers. */
export interface ModelDescription {
  readonly createdAt: string;
  /** Local hours of the transactions it learned from. */
  readonly utcOffsetMinutes: number;
  /** At or above this risk a transaction is flagged. */
  readonly reviewAtRisk: number;
  /** Where the model decides by money instead; the risk above is then for transactions without a worth. */
  readonly costs?: DecisionThresholds['costs'];
  readonly reviewAtRiskWithoutMoney?: number;
  readonly reviewAtLossMinor?: number;
  /** How all that was chosen; models of 0.1.0 do not say. */
  readonly thresholds?: Readonly<Record<string, unknown>>;
  readonly trainedOn: { readonly rows: number; readonly fromMs: number; readonly toMs: number; readonly seed: number };
  readonly metrics: Readonly<Record<string, unknown>>;
}

/** How a stored model decides. */
export function thresholdsOf(description: ModelDescription): DecisionThresholds {
  const { reviewAtRisk, costs, reviewAtRiskWithoutMoney, reviewAtLossMinor } = description;
  return {
    ...{ reviewAtRisk, holdAtRisk: DEFAULT_HOLD_AT_RISK },
    ...(costs !== undefined && { costs }),
    ...(reviewAtRiskWithoutMoney !== undefined && { reviewAtRiskWithoutMoney }),
    ...(reviewAtLossMinor !== undefined && { reviewAtLossMinor }),
  };
}

export interface StoredModel {
  /** `name@version` */
  readonly id: string;
  readonly description: ModelDescription;
  readonly model: RiskModel;
}

interface StoredPart {
  readonly detector: string;
  readonly supervised: boolean;
  readonly columns: readonly number[];
  readonly artefact: Omit<Artefact, 'binary'>;
  readonly binary: StoredFile;
  readonly tail: StoredFile;
}

interface StoredFile {
  readonly file: string;
  readonly bytes: number;
  readonly sha256: string;
}

interface Manifest {
  readonly format: 'centinela-model';
  readonly formatVersion: number;
  readonly id: string;
  readonly description: ModelDescription;
  readonly definitions: readonly (Omit<FeatureDefinition, 'missing'> & { readonly missing: number | null })[];
  readonly stacking: Stacking | null;
  /** Unchecked; format version 1 has none. */
  readonly calibration?: unknown;
  /** Unchecked; before format version 3 there is none. */
  readonly ruleEvidence?: unknown;
  readonly parts: readonly StoredPart[];
  /** Of the manifest without this line, as JSON; models of 0.1.0 have none. */
  readonly sha256?: string;
}

/** 2 has a calibration after the stacking, 3 what rules add to the risk. */
const FORMAT_VERSION = 3;
const READABLE_VERSIONS: readonly number[] = [1, 2, FORMAT_VERSION];

const NAME = /^[a-z0-9][a-z0-9-]{0,62}$/;

/** Stores the model as the next version of `name`. @returns its id, `name@version` */
export async function saveModel(
  store: ObjectStore,
  name: string,
  model: RiskModel,
  description: ModelDescription,
): Promise<string> {
  if (!NAME.test(name)) throw new ModelError(`'${name}' cannot name a model: use a–z, 0–9 and '-', at most 63`);
  const version = Math.max(0, ...(await versionsOf(store, name))) + 1;
  const id = `${name}@${version}`;
  const folder = `models/${name}/${version}`;
  const put = async (file: string, bytes: Uint8Array): Promise<StoredFile> => {
    await store.put(`${folder}/${file}`, bytes);
    return { file, bytes: bytes.length, sha256: sha256(bytes) };
  };
  const packed = packModel(model);
  const parts: StoredPart[] = [];
  for (const [index, { artefact, reference, ...part }] of packed.parts.entries()) {
    const { binary, ...readable } = artefact;
    const tail = new Uint8Array(reference.buffer, reference.byteOffset, reference.byteLength);
    parts.push({
      ...part,
      artefact: readable,
      binary: await put(`${index}-${part.detector}.bin`, binary),
      tail: await put(`${index}-reference-scores.f32`, tail),
    });
  }
  const definitions = packed.definitions.map((d) => ({ ...d, missing: Number.isNaN(d.missing) ? null : d.missing }));
  const manifest: Manifest = {
    format: 'centinela-model',
    formatVersion: FORMAT_VERSION,
    id,
    description,
    definitions,
    stacking: packed.stacking,
    calibration: packed.calibration,
    ruleEvidence: packed.ruleEvidence,
    parts,
  };
  const sealed = { ...manifest, sha256: sealOf(manifest) };
  await store.put(`${folder}/manifest.json`, new TextEncoder().encode(`${JSON.stringify(sealed, null, 1)}\n`));
  return id;
}

/** @param id `name@version`, or `name` for its newest version */
export async function loadModel(store: ObjectStore, id: string, known: readonly KnownDetector[]): Promise<StoredModel> {
  const [name, given] = id.split('@');
  const versions = await versionsOf(store, name);
  const version = given === undefined ? Math.max(...versions) : Number(given);
  if (!versions.includes(version)) {
    const known = (await listModels(store)).join(', ');
    throw new ModelError(
      `there is no model '${id}'; ${known === '' ? "make one with 'centinela train'" : `there are ${known}`}`,
    );
  }
  const folder = `models/${name}/${version}`;
  const manifest = readManifest(await store.get(`${folder}/manifest.json`), `${name}@${version}`);
  const get = async (stored: StoredFile) => {
    const bytes = await store.get(`${folder}/${stored.file}`);
    if (bytes === null || sha256(bytes) !== stored.sha256) {
      throw new ModelError(
        `${manifest.id}: ${stored.file} is ${bytes === null ? 'missing' : 'not what was stored (its SHA-256 differs)'}`,
      );
    }
    return bytes;
  };
  const parts: PackedPart[] = [];
  for (const { binary, tail, artefact, ...part } of manifest.parts) {
    const reference = new Float32Array((await get(tail)).slice().buffer);
    parts.push({ ...part, artefact: { ...artefact, binary: await get(binary) }, reference });
  }
  const definitions = manifest.definitions.map((d) => ({ ...d, missing: d.missing ?? Number.NaN }));
  const { stacking, description } = manifest;
  const calibration = manifest.formatVersion === 1 ? AS_IS : calibrationOf(manifest);
  const packed = { definitions, parts, stacking, calibration, ruleEvidence: evidenceOf(manifest) };
  return { id: manifest.id, description, model: unpackModel(packed, known) };
}

/** What a model's manifest says of it: to be told without loading its numbers. */
export interface ModelCard {
  readonly id: string;
  readonly description: ModelDescription;
  readonly detectors: readonly string[];
  readonly featureIds: readonly string[];
  /** How many rules it learnt the evidence of. */
  readonly rulesLearnt: number;
}

/** null where there is no such model. @param id `name@version` @throws ModelError where it is damaged or newer */
export async function readModelCard(store: ObjectStore, id: string): Promise<ModelCard | null> {
  const [name, version] = id.split('@');
  const bytes = await store.get(`models/${name}/${version}/manifest.json`);
  if (bytes === null) return null;
  const manifest = readManifest(bytes, id);
  return {
    ...{ id, description: manifest.description },
    detectors: manifest.parts.map(({ detector }) => detector),
    featureIds: manifest.definitions.map((definition) => definition.id),
    rulesLearnt: Object.keys(evidenceOf(manifest) ?? {}).length,
  };
}

function evidenceOf({ id, ruleEvidence }: Manifest): LearntEvidence | null {
  if (ruleEvidence === undefined || ruleEvidence === null) return null;
  const isShare = (value: unknown) => typeof value === 'number' && value >= 0 && value < 1;
  if (typeof ruleEvidence !== 'object' || Array.isArray(ruleEvidence) || !Object.values(ruleEvidence).every(isShare)) {
    throw new ModelError(`${id}: manifest.json is damaged: ruleEvidence must give a number from 0 to 1 by rule`);
  }
  return ruleEvidence as LearntEvidence;
}

function calibrationOf({ id, calibration }: Manifest) {
  try {
    return readCalibration(calibration);
  } catch (error) {
    throw new ModelError(`${id}: ${(error as Error).message}`);
  }
}

/** All ids, sorted by name and version. */
export async function listModels(store: ObjectStore): Promise<string[]> {
  const found = (await store.list('models/')).flatMap((key) => {
    const match = /^models\/([^/]+)\/(\d+)\/manifest\.json$/.exec(key);
    return match === null ? [] : [{ name: match[1], version: Number(match[2]) }];
  });
  found.sort((a, b) => (a.name === b.name ? a.version - b.version : a.name < b.name ? -1 : 1));
  return found.map(({ name, version }) => `${name}@${version}`);
}

async function versionsOf(store: ObjectStore, name: string): Promise<number[]> {
  return (await listModels(store)).filter((id) => id.startsWith(`${name}@`)).map((id) => Number(id.split('@')[1]));
}

function readManifest(bytes: Uint8Array | null, id: string): Manifest {
  if (bytes === null) throw new ModelError(`${id} has no manifest`);
  let read: Manifest | null;
  try {
    read = JSON.parse(new TextDecoder().decode(bytes)) as Manifest | null;
  } catch {
    throw new ModelError(`${id}: manifest.json is not JSON; the file is damaged`);
  }
  const { sha256: seal, ...manifest } = read ?? ({} as Manifest);
  if (manifest.format !== 'centinela-model' || !READABLE_VERSIONS.includes(manifest.formatVersion)) {
    throw new ModelError(
      `${id}: manifest format ${manifest.format} ${manifest.formatVersion} is not one this version reads`,
    );
  }
  if (seal !== undefined && seal !== sealOf(manifest)) {
    throw new ModelError(`${id}: manifest.json is not what was stored (its SHA-256 differs)`);
  }
  if (!hasShapeOfManifest(manifest)) throw new ModelError(`${id}: manifest.json is damaged: a part of it is missing`);
  return manifest;
}

function sealOf(manifest: Manifest): string {
  return sha256(new TextEncoder().encode(JSON.stringify(manifest)));
}

/** What is read of a manifest is there; without a seal nothing else says so. */
function hasShapeOfManifest({ id, description, definitions, stacking, parts }: Manifest): boolean {
  const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null;
  const isFile = (stored: StoredFile) => isObject(stored) && typeof stored.file === 'string';
  return (
    typeof id === 'string' &&
    isObject(description) &&
    Array.isArray(definitions) &&
    definitions.every((definition) => isObject(definition) && typeof definition.id === 'string') &&
    Array.isArray(parts) &&
    parts.every(
      ({ columns, artefact, binary, tail }) =>
        Array.isArray(columns) && isObject(artefact) && isFile(binary) && isFile(tail),
    ) &&
    (stacking === null ||
      (Number.isFinite(stacking?.bias) && Array.isArray(stacking.weights) && stacking.weights.length === parts.length))
  );
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
