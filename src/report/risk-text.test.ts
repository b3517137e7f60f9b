import { expect, test } from 'vitest';
import { riskText } from './risk-text.ts';

test.each([
  [{ probability: 0.8456, score: 0.8456 }, '84.6 %', '84.6 %'],
  [{ probability: 0.99999, score: 1 }, '99.9 %', '99.9 %'],
  [{ probability: null, score: 0.9 }, '1 en 10', '1 in 10'],
  [{ probability: null, score: 0.99988 }, '1 en 8,300', '1 in 8,300'],
  [{ probability: null, score: 1 }, '1 en 1,000,000,000', '1 in 1,000,000,000'],
  [{ probability: null, score: 0 }, '1 en 1', '1 in 1'],
])('%j', (risk, es, en) => {
  expect(riskText(risk)).toEqual({ es, en });
});
