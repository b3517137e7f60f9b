import { expect, it } from 'vitest';
import { createPrng } from '../../lib/prng.ts';
import { fitResidualTail, raritiesOf, residualRarity } from './residual-rarity.ts';

const prng = createPrng(2);
const values = Float32Array.from({ length: 5000 }, (_, i) => (i % 5 === 0 ? 1 : prng.nextNormal() ** 2));
const tail = fitResidualTail({ rows: values.length, columns: 1, values }, 0)!;
const shareFrom = (residual: number) => (values.filter((value) => value >= residual).length + 1) / (values.length + 1);

it('is −log of the share of training rows with at least the residual, to a fiftieth of that share', () => {
  expect(tail.residuals.length).toBeLessThan(600);
  for (const residual of [0.001, 0.3, 1, 2, 5, 9, ...values.toSorted().slice(-40)]) {
    const rarity = residualRarity(tail, residual);
    expect(rarity).toBeGreaterThan(-Math.log(shareFrom(residual)) - 1e-9);
    expect(rarity).toBeLessThan(-Math.log(shareFrom(residual)) + 0.021);
  }
});

it('is 0 for what all training rows reach, and stays where it is beyond them', () => {
  expect(residualRarity(tail, 0)).toBe(0);
  const greatest = Math.max(...values);
  expect(residualRarity(tail, greatest * 1.01)).toBe(Math.log(5001));
  expect(residualRarity(tail, 1e30)).toBe(Math.log(5001));
});

it('counts only above the ordinary, and not for a feature without a tail', () => {
  const rarities = new Float64Array(3);
  const residuals = { rows: 1, columns: 3, values: Float32Array.of(1e9, 0.01, 1e9) };
  raritiesOf([tail, tail, null], 1, residuals, 0, rarities);
  expect([...rarities]).toEqual([Math.log(5001) - 1, 0, 0]);
});

it('there is none of residuals that never vary', () => {
  expect(fitResidualTail({ rows: 3, columns: 1, values: Float32Array.of(2, 2, 2) }, 0)).toBeNull();
});
