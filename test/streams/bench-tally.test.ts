import { describe, expect, it } from 'vitest';
import { Fingerprints, tally } from '../../bench/kafka/tally.ts';

function fingerprints(ids: readonly string[]): Fingerprints {
  const all = new Fingerprints(ids.length);
  for (const id of ids) all.add(id);
  return all;
}

describe('the tally of transactions and decisions', () => {
  const ids = Array.from({ length: 5000 }, (_, index) => `B${index}`);

  it('finds nothing where each transaction has one decision, in whatever order', () => {
    const result = tally(fingerprints(ids), fingerprints(ids.toReversed()));
    expect(result).toEqual({ lost: 0, duplicated: 0, unknown: 0 });
  });

  it('counts what is lost, decided again and unknown', () => {
    const decided = ids.filter((_, index) => index !== 0 && index !== 1234 && index !== 4999);
    const result = tally(fingerprints(ids), fingerprints([...decided, 'B7', 'B7', 'B8', 'B5000']));
    expect(result).toEqual({ lost: 3, duplicated: 3, unknown: 1 });
  });

  it('takes a transaction that was sent twice as one', () => {
    expect(tally(fingerprints([...ids, 'B3']), fingerprints(ids))).toEqual({ lost: 0, duplicated: 0, unknown: 0 });
    expect(tally(fingerprints(['B3', 'B3']), fingerprints([])).lost).toBe(1);
  });

  it('refuses more ids than it has room for', () => {
    const one = fingerprints(['a']);
    expect(() => one.add('b')).toThrow(RangeError);
  });
});
