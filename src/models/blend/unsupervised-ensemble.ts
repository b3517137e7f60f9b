// The default where there are no labels: three detectors that look at different things, each by how rare its score is.
//
// The isolation forest finds rows that few questions set apart, ECOD values far out in one feature, robust covariance
// combinations of values that are each usual. Their scores are put on one scale (tail-score.ts) and averaged (Aggarwal
// and Sathe, "Theoretical foundations and algorithms for outlier ensembles", SIGKDD Explorations 17, 2015). Which
// detectors and which scale was compared on ADBench's sets: docs/decisions/0009.
import type { Artefact, Detector, FittedDetector, TrainingData } from '../detector.ts';
import { ecod } from '../ecod/ecod.ts';
import { isolationForest } from '../isolation-forest/isolation-forest.ts';
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
const FORMAT_VERSION = 1;

const MEMBERS: readonly Pick<Detector<MemberOptions>, 'name' | 'fit' | 'load'>[] = [
  isolationForest,
  ecod,
  robustCovariance,
];

export const unsupervisedEnsemble: Detector<MemberOptions> = {
  name: NAME,
  needsLabels: false,
  defaults: {},
  fit(data: TrainingData, _options, seed) {
    const members = MEMBERS.map((member, index): Member => {
      const detector = member.fit(data, {}, seed + index);
      return { detector, reference: fitTailReference(detector.score(data.matrix)) };
    });
    return fitted(members, data.features);
  },
  load(artefact) {
    const { contents, sections } = unpackArtefact(artefact, FORMAT, FORMAT_VERSION);
    const stored = contents as { members: Omit<Artefact, 'binary' | 'features'>[]; excesses: number[] };
    const members = stored.members.map((readable, index): Member => {
      const member = MEMBERS[index];
      const part: Artefact = { ...readable, features: artefact.features, binary: sections[2 * index] };
      return {
        detector: member.load(part),
        reference: { scores: new Float64Array(sections[2 * index + 1].buffer), excess: stored.excesses[index] },
      };
    });
    return fitted(members, artefact.features);
  },
};

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
    /** The unit is the mean tail score: what each member's own reasons add is scaled to its tail score. */
    explain(row) {
      const contributions = new Float64Array(row.length);
      let base = 0;
      for (const { detector, reference } of members) {
        const score = detector.score({ rows: 1, columns: row.length, values: row })[0];
        const rarity = tailScore(reference, score) / members.length;
        const parts = detector.explain(row).contributions;
        const sum = parts.reduce((total, part) => total + part, 0);
        if (sum > 0) for (let i = 0; i < row.length; i++) contributions[i] += (parts[i] / sum) * rarity;
        else base += rarity;
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
