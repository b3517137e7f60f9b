import { describe, expect, it } from 'vitest';
import { fullName, nameSource, WRITINGS } from '../../test/lists/synthetic-names.ts';
import { createPrng } from '../lib/prng.ts';
import { createKeptList, type ListEntry, ruleListOf } from './kept-list.ts';
import { createNameIndex } from './name-index.ts';
import { NameVocabulary } from './name-vocabulary.ts';
import { soundOf, wordsOf } from './name-words.ts';
import { NAME_THRESHOLD } from './standard-lists.ts';

const likenessOf = (a: string, listed: string) => createNameIndex([listed]).find(a, () => true)?.similarity ?? 0;
const entry = (value: string, more: Partial<ListEntry> = {}): ListEntry => ({
  ...{ value, reason: 'prueba', source: 'caso 1', fromMs: 0, untilMs: null },
  ...more,
});

describe('the likeness of names', () => {
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
    ['Inversiones Ándina S.A.C.', 'INVERSIONES ANDINA SAC', 1, 1],
    ['Juan Quispe Mamani', 'Juan Carlos Quispe Mamani', 0.9, 0.99],
    ['José de la Cruz Huamán', 'JOSE DELACRUZ GUAMAN', 0.9, 0.99],
    ['Rosaura Tarqui Illanes', 'Rosaura Tarqui Yllanes', 0.99, 0.9999],
    ['Rosaura Tarqui Illanes', 'Rosaura Tarqiu Illanes', 0.99, 0.9999],
    ['Rosaura Tarqui Illanes', 'R. Tarqui Illanes', 0.99, 0.9999],
    ['María Flores', 'María Torres', 0, 0.6],
    ['Juan Pérez', 'Juan', 0, 0.6],
    ['Illanes', 'Rosaura Tarqui Illanes', 0, 0.6],
    ['Ana Rojas Díaz', 'Luis Castro Vega', 0, 0],
    ['', '', 0, 0],
    ['...', '---', 0, 0],
  ])('%s and %s', (a, b, from, to) => {
    for (const likeness of [likenessOf(a, b), likenessOf(b, a)]) {
      expect(likeness).toBeGreaterThanOrEqual(from);
      expect(likeness).toBeLessThanOrEqual(to);
    }
  });

  it('is the same whatever the order of the words, and whole for the name itself', () => {
    const next = nameSource(createPrng(1));
    const words = Array.from({ length: 300 }, next).map(fullName);
    const index = createNameIndex(words);
    for (const name of words) {
      const turned = name.split(' ').reverse().join(' ');
      expect(index.find(turned, () => true)?.similarity).toBe(1);
      const longer = `${name} Zzzyx`;
      expect(index.find(longer, () => true)).toEqual(index.find(`Zzzyx ${turned}`, () => true));
    }
  });

  it('finds most of what is written in another way and almost nobody else', () => {
    const prng = createPrng(30);
    const next = nameSource(prng.fork(1));
    const listed = Array.from({ length: 3000 }, next);
    const others = Array.from({ length: 2000 }, next);
    const names = new Set(listed.map(fullName));
    const index = createNameIndex([...names]);
    const isFound = (name: string) => (index.find(name, () => true)?.similarity ?? 0) >= NAME_THRESHOLD;
    const shareFound = (people: typeof listed, writing: string) =>
      people.filter((name) => isFound(WRITINGS[writing](name, prng))).length / people.length;
    const known = listed.slice(0, 500);
    expect(shareFound(known, 'no accents')).toBeGreaterThan(0.99);
    expect(shareFound(known, 'sounds alike')).toBeGreaterThan(0.97);
    expect(shareFound(known, 'typing error')).toBeGreaterThan(0.93);
    expect(shareFound(known, 'one given name')).toBeGreaterThan(0.9);
    expect(shareFound(others, 'same')).toBeLessThan(0.005);
  });

  it('does not depend on what else a vocabulary has seen, before or after', () => {
    const prng = createPrng(40);
    const next = nameSource(prng.fork(1));
    const people = Array.from({ length: 1500 }, next);
    const names = people.map(fullName);
    const vocabulary = new NameVocabulary();
    const changes = [names.slice(0, 1000), names.slice(500), [...names.slice(400, 900), ...names.slice(0, 300)]];
    const indexes = changes.map((listed) => createNameIndex(listed, vocabulary));
    const anew = changes.map((listed) => createNameIndex(listed));
    for (const person of people.slice(0, 600)) {
      for (const write of Object.values(WRITINGS)) {
        const asked = write(person, prng);
        for (const [at, index] of indexes.entries()) {
          expect(index.find(asked, () => true)).toEqual(anew[at].find(asked, () => true));
        }
      }
    }
    expect(vocabulary.isWorthKeeping(800)).toBe(true);
    expect(vocabulary.isWorthKeeping(200)).toBe(false);
    vocabulary.keepOnly(names.slice(0, 5));
    expect(vocabulary.size).toBe(5);
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

  it('answers rules for the time of each input', () => {
    const list = createKeptList({ name: 'mules', purpose: 'block', match: 'exact', threshold: 1 }, [
      entry('acc-1', { fromMs: 100, untilMs: 200 }),
    ]);
    const { has } = ruleListOf<number>(list, (timeMs) => timeMs);
    expect([99, 150, 150, 200].map((timeMs) => has('acc-1', timeMs))).toEqual([false, true, true, false]);
    expect([has('acc-2', 150), has('acc-1', 150)]).toEqual([false, true]);
  });
});
