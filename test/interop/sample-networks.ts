// Networks of every kind of layer with weights drawn by seed, and rows for them.
import { createPrng } from '../../src/lib/prng.ts';
import type { Layer, Network } from '../../src/models/network/description.ts';
import { layoutParameters, networkOf } from '../../src/models/network/parameters.ts';
import { createNetworkScorer } from '../../src/models/network/scorer/network-scorer.ts';
import { batchNorm, dense, dropout, embedColumns, sequential } from '../../src/models/network/sequential.ts';

export interface Sample {
  readonly name: string;
  readonly network: Network;
  readonly rows: number;
  /** rows × inputs */
  readonly inputs: Float32Array;
  /** One per row, by our own scorer. */
  readonly outputs: Float32Array;
}

const ROWS = 32;
const COLUMNS = 8;
const CATEGORIES: ReadonlyMap<number, number> = new Map([
  [5, 4],
  [1, 7],
  [6, 2],
]);

const OF_EVERY_ACTIVATION: readonly Layer[] = [
  dense(7, 'relu', { l2: 0.001 }),
  batchNorm(0.9, 1e-4),
  dropout(0.5),
  dense(6, 'leaky-relu'),
  dense(5, 'gelu'),
  dense(6, 'swish'),
  dense(5, 'selu', { l1: 0.01 }),
  dense(6, 'elu'),
  dense(5, 'softplus'),
  dense(6, 'tanh'),
  dense(4),
  dense(1, 'sigmoid'),
];

const EMBEDDINGS = embedColumns(
  [...CATEGORIES].map(([column, categories], index) => ({ column, categories, units: index + 1 })),
);

/** Weights are float32 values, so that every format holds them exactly. */
export function sampleNetworks(): readonly Sample[] {
  return [
    sample('dense', [dense(16, 'relu'), dropout(0.5), dense(1, 'sigmoid')], 1),
    sample('every-layer', OF_EVERY_ACTIVATION, 2),
    sample('embeddings', [EMBEDDINGS, ...OF_EVERY_ACTIVATION], 3),
  ];
}

function sample(name: string, layers: readonly Layer[], seed: number): Sample {
  const description = sequential(COLUMNS, layers);
  const layout = layoutParameters(description);
  const prng = createPrng(seed);
  const learned = Float32Array.from({ length: layout.learnedLength }, () => 0.4 * prng.nextNormal());
  const tracked = Float32Array.from({ length: layout.trackedLength }, () => 0.2 + prng.nextFloat());
  const network = networkOf(description, layout, learned, tracked);
  const inputs = Float32Array.from({ length: ROWS * COLUMNS }, (_, i) => {
    const categories = CATEGORIES.get(i % COLUMNS);
    return categories === undefined ? prng.nextNormal() : prng.nextBelow(categories);
  });
  return { name, network, rows: ROWS, inputs, outputs: createNetworkScorer(network).score(inputs, ROWS) };
}
