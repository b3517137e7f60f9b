import { describe, expect, it } from 'vitest';
import { BatchSize } from './batch-size.ts';

const SETTINGS = { fewest: 10, most: 1000, budgetMs: 100 };

describe('the size of batches', () => {
  it('begins with the fewest and grows to what the budget allows', () => {
    const size = new BatchSize(SETTINGS);
    expect(size.records).toBe(10);
    for (let i = 0; i < 50; i++) size.observe(100, 20);
    expect(size.records).toBe(500);
    for (let i = 0; i < 50; i++) size.observe(1000, 1);
    expect(size.records).toBe(1000);
  });

  it('is back within a few batches after a clock that jumped hours ahead, and is not moved by one that jumped back', () => {
    const size = new BatchSize(SETTINGS);
    for (let i = 0; i < 50; i++) size.observe(100, 20);
    size.observe(100, -7_200_000);
    expect(size.records).toBe(500);
    size.observe(100, 7_200_000);
    for (let i = 0; i < 25; i++) size.observe(100, 20);
    expect(size.records).toBeGreaterThan(400);
  });

  it('learns nothing from an empty batch', () => {
    const size = new BatchSize(SETTINGS);
    size.observe(0, 50);
    expect(size.records).toBe(10);
  });
});
