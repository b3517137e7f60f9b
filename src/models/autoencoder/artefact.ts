// A fitted autoencoder as bytes and back.
//
// Format 1 repeated no categories, let rarities rise beyond the training rows, and had no ordinary rarity: it is read and
// scores what it scored.
import type { Artefact } from '../detector.ts';
import { decodeNetworks, encodeNetworks } from '../network/artefact.ts';
import type { Network } from '../network/description.ts';
import { bytesOf, type PackedContents, packArtefact, unpackArtefact } from '../packed-artefact.ts';
import type { PreparationPlan } from '../preparation/preparation.ts';
import type { ResidualTail } from './residual-rarity.ts';

export interface AutoencoderState {
  readonly plan: PreparationPlan;
  readonly network: Network;
  /** Categories are repeated too. */
  readonly repeatsCategories: boolean;
  /** One per feature; null for one whose residuals do not count. */
  readonly tails: readonly (ResidualTail | null)[];
  /** Rarity that counts for nothing. */
  readonly ordinary: number;
  /** What the rarities of a training row come to, > 0. */
  readonly scale: number;
  /** The layer whose values are the embedding, counted from 0. */
  readonly middle: number;
}

interface StoredContents extends Pick<AutoencoderState, 'repeatsCategories' | 'ordinary' | 'scale' | 'middle'> {
  readonly network: Omit<Artefact, 'binary' | 'features'>;
  /** By feature; the next two sections are its residuals and counts. */
  readonly tails: readonly (Pick<ResidualTail, 'rows' | 'step'> | null)[];
}

interface ContentsOfFormat1 extends Pick<AutoencoderState, 'scale' | 'middle'> {
  readonly network: Omit<Artefact, 'binary' | 'features'>;
  /** By feature; its residuals are the section of the same number, counted from 1. */
  readonly excesses: readonly (number | null)[];
}

const FORMAT = 'centinela.autoencoder';
const FORMAT_VERSION = 2;

export function encodeAutoencoder(
  { plan, network, tails, repeatsCategories, ordinary, scale, middle }: AutoencoderState,
  features: readonly string[],
  parameters: Artefact['parameters'],
): Artefact {
  const stored = encodeNetworks({ preparation: plan, networks: [network], ordinary: null }, features, {});
  const { format, formatVersion } = stored;
  const contents: StoredContents = {
    network: { format, formatVersion, parameters: stored.parameters },
    tails: tails.map((tail) => tail && { rows: tail.rows, step: tail.step }),
    repeatsCategories,
    ordinary,
    scale,
    middle,
  };
  const sections = tails.flatMap((tail) => (tail === null ? [] : [bytesOf(tail.residuals), bytesOf(tail.rowsFrom)]));
  return packArtefact(
    { format: FORMAT, formatVersion: FORMAT_VERSION, features: [...features], parameters },
    { contents, sections: [stored.binary, ...sections] },
  );
}

/** @throws if the artefact is of another detector, a newer version, or damaged; the message says which. */
export function decodeAutoencoder(artefact: Artefact): AutoencoderState {
  const unpacked = unpackArtefact(artefact, FORMAT, FORMAT_VERSION);
  const { network: readable, scale, middle } = unpacked.contents as StoredContents | ContentsOfFormat1;
  const stored = decodeNetworks({ ...readable, features: artefact.features, binary: unpacked.sections[0] });
  const state: AutoencoderState = {
    plan: stored.preparation,
    network: stored.networks[0],
    scale,
    middle,
    ...(artefact.formatVersion === 1 ? readFormat1(unpacked) : readFormat2(unpacked)),
  };
  if (state.tails.length !== state.plan.columns.length) {
    throw new Error(
      `${FORMAT} artefact is damaged: ${state.tails.length} tails for ${state.plan.columns.length} columns`,
    );
  }
  return state;
}

type StoredTails = Pick<AutoencoderState, 'repeatsCategories' | 'tails' | 'ordinary'>;

function readFormat2({ contents, sections }: PackedContents): StoredTails {
  const { tails, repeatsCategories, ordinary } = contents as StoredContents;
  let section = 1;
  const next = () => new Float64Array(sections[section++].buffer);
  return {
    repeatsCategories,
    ordinary,
    tails: tails.map((tail) => tail && { ...tail, residuals: next(), rowsFrom: next() }),
  };
}

function readFormat1({ contents, sections }: PackedContents): StoredTails {
  const { excesses } = contents as ContentsOfFormat1;
  const tails = excesses.map((step, column): ResidualTail | null => {
    if (step === null) return null;
    const residuals = new Float64Array(sections[column + 1].buffer);
    const rows = residuals.length;
    return { residuals, rowsFrom: residuals.map((_, index) => rows - index), rows, step };
  });
  return { repeatsCategories: false, tails, ordinary: 0 };
}
