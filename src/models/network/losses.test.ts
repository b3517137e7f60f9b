import { expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { crossEntropy, meanLoss } from './losses.ts';

it('the loss of numbers beside categories is the mean of squared errors and of −log of the softmax at the code', () => {
  const outputs = Float32Array.of(1, 2, 0, 1, 2, /* next row */ 0.5, -1, 3, 3, 3);
  const targets = Float32Array.of(0, 2.5, 0, 0, 1, /* next row */ 0.5, 1, 1, 0, 0);
  const first = 1 + 0.25 - Math.log(Math.exp(2) / (1 + Math.exp(1) + Math.exp(2)));
  const second = 4 + Math.log(3);
  expect(meanLoss({ kind: 'mixed', blocks: [3] }, 5, outputs, targets)).toBeCloseTo((first + second) / 10, 6);
});

it('cross-entropy stays finite for any logits and is least for the code with the greatest', () => {
  expect(crossEntropy(Float32Array.of(1e30, -1e30), 0)).toBe(0);
  expect(Number.isFinite(crossEntropy(Float32Array.of(1e30, -1e30), 1))).toBe(true);
  const prng = createPrng(1);
  const logits = Float32Array.from({ length: 5 }, () => prng.nextNormal());
  const losses = Array.from(logits, (_, code) => crossEntropy(logits, code));
  expect(losses.indexOf(Math.min(...losses))).toBe(logits.indexOf(Math.max(...logits)));
  expect(losses.reduce((sum, loss) => sum + Math.exp(-loss), 0)).toBeCloseTo(1, 6);
});
