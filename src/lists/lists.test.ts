import { describe, expect, it } from 'vitest';
import { createKeptList, type ListEntry } from './kept-list.ts';
import { jaroWinkler, nameSimilarity } from './name-similarity.ts';
import { soundOf, wordsOf } from './name-words.ts';

const likeness = (a: string, b: string) => nameSimilarity(wordsOf(a), wordsOf(b));
const entry = (value: string, more: Partial<ListEntry> = {}): ListEntry => ({
  ...{ value, reason: 'prueba', source: 'caso 1', fromMs: 0, untilMs: null },
  ...more,
});

describe('the likeness of names', () => {
  it.each([
    ['MARTHA', 'MARHTA', 0.961],
    ['DWAYNE', 'DUANE', 0.84],
    ['DIXON', 'DICKSONX', 0.813],
  ])('is as Winkler published it: %s %s', (a, b, expected) => {
    expect(jaroWinkler(a, b)).toBeCloseTo(expected, 3);
  });

  it.each([
    ['Huamán', 'Guamán'],
    ['Vásquez', 'Bázquez'],
    ['Jiménez', 'Gimenes'],
    ['Quispe', 'Kispe'],
    ['Llanos', 'Yanos'],
    ['Wilson', 'Vilson'],
    ['Peña', 'Pena'],
    ['Cabezas', 'Cavesas'],
  ])('hears %s in %s', (a, b) => {
    expect(soundOf(wordsOf(a)[0].text)).toBe(soundOf(wordsOf(b)[0].text));
  });

  it.each([
    ['Juan Carlos Quispe Mamani', 'QUISPE MAMANI, JUAN CARLOS', 1, 1],
    ['Juan Quispe Mamani', 'Juan Carlos Quispe Mamani', 0.9, 0.96],
    ['José de la Cruz Huamán', 'JOSE DELACRUZ GUAMAN', 0.6, 0.95],
    ['Inversiones Ándina S.A.C.', 'INVERSIONES ANDINA SAC', 1, 1],
    ['María Flores', 'María Torres', 0, 0.7],
    ['Juan Pérez', 'Juan', 0, 0.75],
    ['Ana Rojas Díaz', 'Luis Castro Vega', 0, 0.1],
  ])('%s and %s', (a, b, from, to) => {
    expect(likeness(a, b)).toBeGreaterThanOrEqual(from);
    expect(likeness(a, b)).toBeLessThanOrEqual(to);
    expect(likeness(b, a)).toBeCloseTo(likeness(a, b), 6);
  });
});

describe('a kept list', () => {
  it('finds exact values while they are in force', () => {
    const list = createKeptList({ name: 'mules', purpose: 'block', match: 'exact', threshold: 1 }, [
      entry('acc-1', { fromMs: 100, untilMs: 200 }),
      entry('acc-1', { fromMs: 300 }),
    ]);
    const at = (timeMs: number) => list.find('acc-1', timeMs)?.similarity ?? 0;
    expect([99, 100, 199, 200, 300].map(at)).toEqual([0, 1, 1, 0, 1]);
    expect(list.find('acc-2', 150)).toBe(null);
  });

  it('finds the most similar name', () => {
    const list = createKeptList({ name: 'sanctions', purpose: 'sanctions', match: 'name', threshold: 0.9 }, [
      entry('Vladimir Montesinos Quispe'),
      entry('Juan Carlos Quispe Mamani'),
      entry('Juana Quispe', { untilMs: 1 }),
    ]);
    expect(list.find('quispe mamani juan', 5)?.entry.value).toBe('Juan Carlos Quispe Mamani');
    expect(list.find('Kispe Mamani Juan Carlos', 5)!.similarity).toBeGreaterThan(0.95);
    expect(list.find('Rosa Tello', 5)).toBe(null);
  });
});
