import { expect, it } from 'vitest';
import { completeOptions } from '../models/network/options.ts';
import { batchNorm, dense, dropout } from '../models/network/sequential.ts';
import { parseNetworkYaml } from './network-yaml.ts';

it('reads layers, loss, optimizer, learning rate and how long to train', () => {
  const options = parseNetworkYaml(
    `
preset: complex
layers:
  - { dense: 128, activation: relu, l1: 0.001, l2: 0.01 }
  - batch-norm
  - batch-norm: { momentum: 0.9 }
  - dropout: 0.25
  - dense: 1
    activation: sigmoid
loss: { focal: 1.5 }
optimizer: { sgd: { momentum: 0.9, nesterov: true } }
learningRate: { initial: 0.002, warmupSteps: 100, decay: { cosine: { steps: 4000 } } }
clipNorm: 1
epochs: 7
batchRows: 64
patience: 2
validationShare: 0.2
positiveWeight: 4
members: 2
embeddingUnits: 3
preparation: { method: standardise, clip: 5, missingIndicators: false }
`,
    'net.yaml',
  );
  expect(options).toEqual({
    preset: 'complex',
    layers: [
      dense(128, 'relu', { l1: 0.001, l2: 0.01 }),
      batchNorm(),
      batchNorm(0.9),
      dropout(0.25),
      dense(1, 'sigmoid'),
    ],
    loss: { kind: 'focal', gamma: 1.5 },
    optimizer: { kind: 'sgd', momentum: 0.9, nesterov: true },
    learningRate: { initial: 0.002, warmupSteps: 100, decay: { kind: 'cosine', steps: 4000 } },
    ...{ clipNorm: 1, epochs: 7, batchRows: 64, patience: 2, validationShare: 0.2, positiveWeight: 4, members: 2 },
    ...{ embeddingUnits: 3, preparation: { method: 'standardise', clip: 5, missingIndicators: false } },
  });
  expect(() => completeOptions(options)).not.toThrow();
});

it('takes names alone with their usual numbers', () => {
  expect(parseNetworkYaml('{ loss: focal, optimizer: adamw, learningRate: 0.01 }', 'net.yaml')).toEqual({
    loss: { kind: 'focal', gamma: 2 },
    optimizer: { kind: 'adamw', weightDecay: 0.004 },
    learningRate: { initial: 0.01 },
  });
});

it('tells all mistakes at once, each where it is', () => {
  const text = `preset: deep
epoch: 5
epochs: 0.5
layers:
  - { dense: many, activation: rely }
  - { dropout: 1, rate: 2 }
  - conv
  - dense: 2
loss: { focal: high }
optimizer: { adam: { momentum: 0.9 } }
learningRate: { decay: { cosine: {} } }
`;
  let message = '';
  try {
    parseNetworkYaml(text, 'net.yaml');
  } catch (error) {
    ({ message } = error as Error);
  }
  const expected = [
    "1:9: preset is 'deep'; it must be one of simple, complex, best",
    "2:1: 'epoch' is not a key of a network file",
    "3:9: epochs is '0.5'; it must be a whole number from 1 to 10000",
    "5:14: dense is 'many'; it must be a whole number from 1 to 65536",
    "5:32: activation is 'rely'; it must be one of linear, relu,",
    "6:16: dropout is '1'; it must be a number from 0 to 0.99",
    "6:19: 'rate' is not a key of a dropout layer",
    '7:5: a layer is { dense: UNITS',
    '8:5: the last layer must be { dense: 1, activation: sigmoid }',
    "9:16: focal is 'high'",
    "10:22: 'momentum' is not a key of adam",
    "11:15: learningRate lacks 'initial'",
    "11:34: cosine lacks 'steps'",
  ];
  for (const problem of expected) expect(message).toContain(`net.yaml:${problem}`);
  expect(message.split('\n')).toHaveLength(expected.length);
});

it.each([
  ['layers: [', /net\.yaml:\d+:\d+: /],
  ['- dense', /must be a map with keys among preset/],
  ['', /must be a map/],
  ['layers: []', /layers must be a list/],
  ['loss: mean-squared-error', /must be one of binary-cross-entropy, focal/],
])('refuses %j', (text, message) => {
  expect(() => parseNetworkYaml(text, 'net.yaml')).toThrow(message);
});
