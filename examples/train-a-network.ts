// Describes, trains, measures and saves a network, as in Keras, in a few seconds. After `npm run build`:
//
//   npx node examples/train-a-network.ts [FOLDER FOR THE FILES]
import { join } from 'node:path';
import {
  batchNorm,
  compile,
  createPreparation,
  csvLogger,
  dense,
  dropout,
  earlyStopping,
  fitPreparation,
  loadModel,
  type Matrix,
  progressLines,
  reduceOnPlateau,
  sequential,
  sliceRows,
} from 'centinela';

const folder = process.argv[2] ?? 'out';
const print = (text: string) => process.stdout.write(text);

// 6,000 payments: amount (soles), hour, payments of the last hour, whether the payee is new. About 1 in 16 is a fraud:
// large at night, or many in an hour to someone new.
const { matrix, labels } = makePayments(6000, 7);
const cut = 4500;

// Networks want scaled numbers without gaps. The plan is learned from the training rows only.
const preparation = createPreparation(fitPreparation(sliceRows(matrix, 0, cut)));
const inputs = preparation.apply(matrix);
const training = { inputs: sliceRows(inputs, 0, cut), targets: labels.subarray(0, cut) };
const later = { inputs: sliceRows(inputs, cut, inputs.rows), targets: labels.subarray(cut) };

const model = compile(
  sequential(preparation.outputs, [
    dense(32, 'relu', { l2: 1e-4 }),
    batchNorm(),
    dropout(0.2),
    dense(16, 'relu'),
    dense(1, 'sigmoid'),
  ]),
  { optimizer: 'adamw', learningRate: 3e-3, loss: 'focal', metrics: ['aucRoc', 'averagePrecision'], seed: 1 },
);
print(model.summary());

const { history, bestEpoch } = await model.fit(training.inputs, training.targets, {
  epochs: 30,
  batchRows: 64,
  validationShare: 0.2,
  callbacks: [
    earlyStopping({ monitor: 'averagePrecision', patience: 5 }),
    reduceOnPlateau({ patience: 2, factor: 0.5 }),
    csvLogger(join(folder, 'history.csv')),
    progressLines(print),
  ],
});
print(`${history.length} epochs, the best was ${bestEpoch}\n`);

for (const [name, value] of Object.entries(model.evaluate(later.inputs, later.targets))) {
  print(`on later rows: ${name} ${value.toFixed(4)}\n`);
}

await model.save(join(folder, 'fraud.keras'));
const again = await loadModel(join(folder, 'fraud.keras'));
const same = again.predict(later.inputs).every((value, row) => value === model.predict(later.inputs)[row]);
print(`saved as ${join(folder, 'fraud.keras')}; loaded, it predicts ${same ? 'the same' : 'otherwise'}\n`);

function makePayments(rows: number, seed: number): { readonly matrix: Matrix; readonly labels: Uint8Array } {
  let state = seed;
  // Mulberry32: the same numbers for the same seed, on every machine.
  const random = () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
  const labels = new Uint8Array(rows);
  const values = new Float32Array(rows * 4);
  for (let row = 0; row < rows; row++) {
    const amount = 20 / (random() + 0.01);
    const hour = Math.floor(24 * random());
    const lately = Math.floor(8 * random() ** 3);
    const isNew = random() < 0.2 ? 1 : 0;
    values.set([amount, hour, lately, isNew], row * 4);
    const risky = (amount > 80 && hour < 6) || (lately > 3 && isNew === 1);
    labels[row] = random() < (risky ? 0.7 : 0.02) ? 1 : 0;
  }
  return { matrix: { rows, columns: 4, values }, labels };
}
