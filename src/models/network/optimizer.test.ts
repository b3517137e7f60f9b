import { describe, expect, it } from 'vitest';
import { type LearningRate, learningRateAt, stepNumbers } from './optimizer.ts';

const at = (rate: LearningRate, ...steps: number[]) => steps.map((step) => learningRateAt(rate, step));

describe('learning rates', () => {
  it('stay, fall by steps, smoothly, or along half a cosine', () => {
    expect(at({ initial: 0.1 }, 0, 999)).toEqual([0.1, 0.1]);
    const step: LearningRate = { initial: 8, decay: { kind: 'step', everySteps: 10, factor: 0.5 } };
    expect(at(step, 0, 9, 10, 25)).toEqual([8, 8, 4, 2]);
    const exponential: LearningRate = { initial: 8, decay: { kind: 'exponential', everySteps: 10, factor: 0.25 } };
    expect(at(exponential, 0, 5, 10)).toEqual([8, 4, 2]);
    const cosine: LearningRate = { initial: 2, decay: { kind: 'cosine', steps: 100, finalShare: 0.5 } };
    expect(at(cosine, 0, 50, 100, 500)).toEqual([2, expect.closeTo(1.5), 1, 1]);
  });

  it('rise linearly first where a warm-up is asked for, and decay from its end', () => {
    const rate: LearningRate = { initial: 4, warmupSteps: 4, decay: { kind: 'step', everySteps: 2, factor: 0.5 } };
    expect(at(rate, 0, 1, 3, 4, 5, 6)).toEqual([1, 2, 4, 4, 4, 2]);
  });

  it('go on over the epochs', () => {
    const rate: LearningRate = { initial: 8, decay: { kind: 'exponential', everySteps: 1, factor: 0.5 } };
    expect([...stepNumbers({ kind: 'sgd' }, rate, 2, 3).rate]).toEqual([2, 1, 0.5]);
    expect([...stepNumbers({ kind: 'adamw', weightDecay: 0.5 }, { initial: 0.1 }, 0, 1).shrink]).toEqual([
      expect.closeTo(0.95),
    ]);
  });
});
