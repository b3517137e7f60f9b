// The default where there are no labels: three detectors that look at different things, each by how rare its score is.
//
// The isolation forest finds rows that few questions set apart, ECOD values far out in one feature, LODA values far out in
// a sum of several. Their scores are put on one scale (tail-score.ts) and averaged (Aggarwal and Sathe, "Theoretical
// foundations and algorithms for outlier ensembles", SIGKDD Explorations 17, 2015). Which detectors and which scale was
// compared on ADBench's sets, the Handbook's cards and simulated banks: docs/decisions/0009 and 0013.
import type { Artefact, Detector, FittedDetector, TrainingData } from '../detector.ts';
import { ecod } from '../ecod/ecod.ts';
import { isolationForest } from '../isolation-forest/isolation-forest.ts';
import { loda } from '../loda/loda.ts';
import { type Matrix, takeRows } from '../matrix.ts';
import { bytesOf, packArtefact, unpackArtefact } from '../packed-artefact.ts';
import { robustCovariance } from '../robust-covariance/robust-covariance.ts';
import { fitTailReference, type TailReference, tailScore } from './tail-score.ts';

interface Member {
  readonly detector: FittedDetector;
  readonly reference: TailReference;
}

type MemberOptions = Readonly<Record<never, never>>;

const NAME = 'unsupervised-ensemble';
const FORMAT = `centinela.${NAME}`;
const FORMAT_VERSION = 2;

/** Tails are counted on this many training rows at most. */
const REFERENCE_ROWS = 20_000;

type MemberDetector = Pick<Detector<MemberOptions>, 'name' | 'fit' | 'load'>;

const MEMBERS: readonly MemberDetector[] = [isolationForest, ecod, loda];
/** Ensembles of format 1 had the last in place of LODA. */
const LOADABLE_MEMBERS: readonly MemberDetector[] = [...MEMBERS, robustCovariance];

export const unsupervisedEnsemble: Detector<MemberOptions> = {
  name: NAME,
  needsLabels: false,
  defaults: {},
  fit(data: TrainingData, _options, seed) {
    const members = MEMBERS.map((member, index): Member => {
      const detector = member.fit(data, {}, seed + index);
      return { detector, reference: fitTailReference(detector.score(spacedRows(data.matrix, REFERENCE_ROWS))) };
    });
    return fitted(members, data.features);
  },
  load(artefact) {
    const members = readUnsupervisedEnsemble(artefact).map(
      (stored): Member => ({ detector: stored.detector.load(stored.artefact), reference: stored.reference }),
    );
    return fitted(members, artefact.features);
  },
};

export interface StoredMember {
  readonly detector: MemberDetector;
  readonly artefact: Artefact;
  readonly reference: TailReference;
}

/** @throws if the artefact is of another detector, a newer version, or damaged; the message says which. */
export function readUnsupervisedEnsemble(artefact: Artefact): StoredMember[] {
  const { contents, sections } = unpackArtefact(artefact, FORMAT, FORMAT_VERSION);
  const stored = contents as { members: Omit<Artefact, 'binary' | 'features'>[]; excesses: number[] };
  return stored.members.map((readable, index) => {
    const detector = LOADABLE_MEMBERS.find(({ name }) => readable.format === `centinela.${name}`);
    if (detector === undefined) throw new Error(`${FORMAT} artefact has a member of unknown format ${readable.format}`);
    return {
      detector,
      artefact: { ...readable, features: artefact.features, binary: sections[2 * index] },
      reference: { scores: new Float64Array(sections[2 * index + 1].buffer), excess: stored.excesses[index] },
    };
  });
}

/** Evenly spaced, the first among them. */
function spacedRows(matrix: Matrix, count: number): Matrix {
  if (matrix.rows <= count) return matrix;
  return takeRows(
    matrix,
    Uint32Array.from({ length: count }, (_, i) => Math.floor((i * matrix.rows) / count)),
  );
}

function fitted(members: readonly Member[], features: readonly string[]): FittedDetector {
  return {
    name: NAME,
    features,
    score(matrix) {
      const scores = new Float32Array(matrix.rows);
      const sums = new Float64Array(matrix.rows);
      for (const { detector, reference } of members) {
        detector.score(matrix).forEach((score, row) => {
          sums[row] += tailScore(reference, score);
        });
      }
      for (let row = 0; row < scores.length; row++) {
        const mean = sums[row] / members.length;
        scores[row] = mean / (1 + mean);
      }
      return scores;
    },
    /**
     * The unit is the mean tail score. A member's is shared among the features that its own reasons name as unusual, in
     * their proportions; those that speak against it would cancel out and blow the others up.
     */
    explain(row) {
      const contributions = new Float64Array(row.length);
      let base = 0;
      for (const { detector, reference } of members) {
        const score = detector.score({ rows: 1, columns: row.length, values: row })[0];
        const rarity = tailScore(reference, score) / members.length;
        const parts = detector.explain(row).contributions;
        const pushed = parts.reduce((total, part) => total + Math.max(0, part), 0);
        if (pushed > 0) {
          for (let i = 0; i < row.length; i++) contributions[i] += (Math.max(0, parts[i]) / pushed) * rarity;
        } else base += rarity;
      }
      return { base, contributions };
    },
    save() {
      const artefacts = members.map(({ detector }) => detector.save());
      return packArtefact(
        {
          format: FORMAT,
          formatVersion: FORMAT_VERSION,
          features: [...features],
          parameters: { members: members.map(({ detector }) => detector.name) },
        },
        {
          contents: {
            members: artefacts.map(({ format, formatVersion, parameters }) => ({ format, formatVersion, parameters })),
            excesses: members.map(({ reference }) => reference.excess),
          },
          sections: members.flatMap(({ reference }, index) => [artefacts[index].binary, bytesOf(reference.scores)]),
        },
      );
    },
  };
}
