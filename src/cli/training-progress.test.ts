import { expect, it } from 'vitest';
import type { EpochLosses } from '../models/network/train.ts';
import { createProgress } from './progress.ts';
import { observeTraining } from './training-progress.ts';

const losses = (epoch: number, validationLoss: number | null): EpochLosses => ({
  epoch,
  loss: 1 / epoch,
  validationLoss,
  learningRate: 0.001,
});

/** What two epochs, three seconds each, write. */
function written(terminal: boolean, validationLoss: number | null = 0.25): string {
  let text = '';
  let now = 0;
  const write = (more: string) => {
    text += more;
  };
  const observe = observeTraining(
    createProgress(write, terminal, () => now),
    () => now,
    () => 'training',
  );
  const observer = observe('ensemble');
  const place = { member: 1, members: 3, epochs: 10 };
  const history = [losses(1, validationLoss), losses(2, validationLoss)];
  for (const each of history) {
    now += 3000;
    observer.onEpoch(each, place);
  }
  observer.onNetwork({ history, bestEpoch: 1 }, place);
  return text;
}

it('shows every epoch on a terminal, with what is left at most, and leaves one line of the network', () => {
  const what = 'ensemble 2/3';
  const line = `centinela: training: ${what}: 2 epochs, kept 1, loss 1.0000, validation 0.2500\n`;
  expect(written(true)).toBe(
    `\r\x1b[K${what}, epoch 1/10: loss 1.0000, validation 0.2500` +
      `\r\x1b[K${what}, epoch 2/10: loss 0.5000, validation 0.2500, ≤ 24 s left` +
      `\r\x1b[K${line}`,
  );
  expect(written(false)).toBe(line);
  expect(written(false, null)).toBe(`centinela: training: ${what}: 2 epochs, kept 1, loss 1.0000\n`);
});
