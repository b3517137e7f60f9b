// How alike two names are, in [0, 1]: the best pairing of their words, each pair by Jaro–Winkler on spelling and on sound.
//
// Winkler, "String comparator metrics and enhanced decision rules in the Fellegi–Sunter model of record linkage" (ASA
// 1990). Peruvian names have two surnames of which one is often left out, and the order varies, so a shorter name that is
// contained in a longer one is nearly as good as equal; a single shared word never is.
import type { NameWord } from './name-words.ts';

/** What one left-out word of the longer name takes off. */
const LEFT_OUT = 0.06;
/** Pairs below this are not the same word. */
const LEAST_PAIR = 0.8;
const SAME_SOUND = 0.95;
const PREFIX = 4;
const PREFIX_WEIGHT = 0.1;

export function nameSimilarity(a: readonly NameWord[], b: readonly NameWord[]): number {
  const [shorter, longer] = a.length <= b.length ? [a, b] : [b, a];
  if (shorter.length === 0) return 0;
  const taken = new Uint8Array(longer.length);
  let sum = 0;
  // Greedy by the shorter name's words, longest first: names have few words, and long ones leave little doubt.
  const order = [...shorter].sort((x, y) => y.text.length - x.text.length);
  for (const word of order) {
    let best = -1;
    let most = 0;
    for (let i = 0; i < longer.length; i++) {
      if (taken[i] === 1) continue;
      const likeness = wordSimilarity(word, longer[i]);
      if (likeness > most) {
        most = likeness;
        best = i;
      }
    }
    if (best >= 0 && most >= LEAST_PAIR) {
      taken[best] = 1;
      sum += most;
    }
  }
  const mean = sum / shorter.length;
  const leftOut = longer.length - shorter.length;
  // One word in common says little, unless it is all that both have.
  const support = shorter.length === 1 && longer.length > 1 ? 0.75 : 1;
  return Math.max(0, mean * support - LEFT_OUT * Math.min(leftOut, 3));
}

export function wordSimilarity(a: NameWord, b: NameWord): number {
  if (a.text === b.text) return 1;
  // An initial stands for any word that begins with it.
  if (a.text.length === 1 || b.text.length === 1) return a.text[0] === b.text[0] ? LEAST_PAIR : 0;
  const spelled = jaroWinkler(a.text, b.text);
  return a.sound === b.sound ? Math.max(spelled, SAME_SOUND) : spelled;
}

export function jaroWinkler(a: string, b: string): number {
  const jaro = jaroSimilarity(a, b);
  let prefix = 0;
  while (prefix < Math.min(PREFIX, a.length, b.length) && a[prefix] === b[prefix]) prefix++;
  return jaro + prefix * PREFIX_WEIGHT * (1 - jaro);
}

function jaroSimilarity(a: string, b: string): number {
  if (a === b) return 1;
  const reach = Math.max(0, (Math.max(a.length, b.length) >> 1) - 1);
  const inA: string[] = [];
  const usedB = new Uint8Array(b.length);
  for (let i = 0; i < a.length; i++) {
    for (let j = Math.max(0, i - reach); j < Math.min(b.length, i + reach + 1); j++) {
      if (usedB[j] === 1 || a[i] !== b[j]) continue;
      usedB[j] = 1;
      inA.push(a[i]);
      break;
    }
  }
  const matches = inA.length;
  if (matches === 0) return 0;
  let moved = 0;
  let next = 0;
  for (let j = 0; j < b.length; j++) if (usedB[j] === 1 && b[j] !== inA[next++]) moved++;
  return (matches / a.length + matches / b.length + (matches - moved / 2) / matches) / 3;
}
