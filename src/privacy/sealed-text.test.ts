import { expect, test } from 'vitest';
import { createTextSealing } from './sealed-text.ts';

const place = { table: 'case_comments', row: 'c1', field: 'body' };
const sealing = () => createTextSealing(new Uint8Array(32).fill(7));

test('a text comes back as it was, of its row alone, and whoever has the row alone reads nothing', () => {
  const text = 'Llamé a Nicanor Ñahuí Peñaloza';
  const kept = sealing().seal(text, place);
  expect(kept).not.toContain('Nicanor');
  expect(sealing().seal(text, place)).not.toBe(kept);
  expect(sealing().open(kept, place)).toBe(text);
  expect(() => sealing().open(kept, { ...place, row: 'c2' })).toThrow('of another row');
  expect(() => createTextSealing(new Uint8Array(32)).open(kept, place)).toThrow('another key');
  expect(sealing().open('de antes', place)).toBe('de antes');
});
