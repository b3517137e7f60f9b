// Finds the listed name that is most like a given one: among 20,000 in less than 100 µs (bench/name-matching.ts).
//
// Likeness is evidence, as Fellegi and Sunter weigh it ("A theory for record linkage", JASA 64, 1969): a word in common
// speaks for the same person by as much as it is rare, a word that only one has against it a little, words that differ
// against it a lot. The odds that chance alone brings a name so like one of the list grow with the list, and are taken
// off. So a likeness means much the same on every list: 0.9 is reached by about one in a thousand people who are not on it.
//
// Words are compared by spelling, by their sound in Spanish, and with one letter of the sound wrong, which is found in a
// table of all sounds with one letter taken out (Mor and Fraenkel, "A hash code method for detecting and correcting
// spelling errors", CACM 25(12), 1982).
import { shareOfWord } from './common-words.ts';
import { keyOf, NameVocabulary } from './name-vocabulary.ts';
import { type NameWord, wordsOf } from './name-words.ts';

export interface NameMatch {
  /** Which of the names. */
  readonly index: number;
  /** In [0, 1]; 1 only where all words are the same. */
  readonly similarity: number;
}

export interface NameIndex {
  /** @param counts is the name in force? Others are passed over. @returns null where no name shares a word */
  find(name: string, counts: (index: number) => boolean): NameMatch | null;
}

/** Evidence in nats. */
const SOUND_ONLY = 0.7;
/** What an error costs: that there is one, and that it is this one of some hundreds. */
const ONE_LETTER = 6;
const MAX_OF_ERROR = 5;
const INITIAL = 1.5;
const LEFT_OUT = 1.5;
const DIFFERENT = 5;
const CLOSE = 1.5;
/**
 * What the odds of chance are less than the product of the words' shares says; by it 0.9 means what it should
 * (bench/name-matching.ts, seeds 20 and 22).
 */
const NOT_BY_CHANCE = 5;
/** From evidence to likeness: 6.9 nats, a thousand to one, are 0.9. */
const SLOPE = Math.log(9) / Math.log(1000);
/** What the shares of a small list are worth beside those of all people. */
const PRIOR_NAMES = 2000;
/** A single word in common never makes the same person. */
const MAX_OF_ONE_WORD = 0.6;
const MIN_LENGTH_FOR_ERROR = 4;
const MAX_ENTRIES_SCANNED = 40_000;
const MAX_CANDIDATES = 24;
const MAX_SOUNDS_PER_WORD = 12;

/** A word of the list that one of the query's can stand for. */
interface Similar {
  readonly sound: number;
  /** Where one letter is wrong, what that speaks for; NaN where they sound alike. */
  readonly ofError: number;
}

/** @param vocabulary of an earlier index, which goes on with it as it was */
export function createNameIndex(
  names: readonly string[],
  vocabulary: NameVocabulary = new NameVocabulary(),
): NameIndex {
  const { soundTexts } = vocabulary;
  const starts = new Int32Array(names.length + 1);
  const wordText: number[] = [];
  const wordSound: number[] = [];
  const equals = new Map<string, number[]>();
  names.forEach((name, index) => {
    const { texts, sounds, key } = vocabulary.read(name);
    const same = equals.get(key);
    if (same === undefined) equals.set(key, [index]);
    else same.push(index);
    wordText.push(...texts);
    wordSound.push(...sounds);
    starts[index + 1] = wordText.length;
  });
  const textOfWord = Int32Array.from(wordText);
  const soundOfWord = Int32Array.from(wordSound);
  const { postings, postingStarts } = invert(starts, soundOfWord, soundTexts.length);
  const weights = Float64Array.from(soundTexts, (sound, number) => {
    const listed = postingStarts[number + 1] - postingStarts[number];
    return -Math.log((listed + PRIOR_NAMES * shareOfWord(sound)) / (names.length + PRIOR_NAMES));
  });
  const chance = Math.max(0, Math.log(names.length) - NOT_BY_CHANCE);
  const gathered = new Float32Array(names.length);
  const touched = new Int32Array(names.length);

  function similarTo({ sound }: NameWord): Similar[] {
    const known = vocabulary.soundNumber(sound);
    const same = known === undefined || sizeOf(known) === 0 ? undefined : known;
    const found: Similar[] = same === undefined ? [] : [{ sound: same, ofError: Number.NaN }];
    // A common word is hardly an error for another one.
    const ofError = same === undefined ? MAX_OF_ERROR : Math.min(MAX_OF_ERROR, weights[same] - ONE_LETTER);
    if (sound.length < MIN_LENGTH_FOR_ERROR || ofError <= 0) return found;
    const near: number[] = [];
    vocabulary.eachNear(sound, (number) => {
      if (number === same || sizeOf(number) === 0 || near.includes(number)) return;
      if (isOneErrorAway(sound, soundTexts[number])) near.push(number);
    });
    // By spelling: numbers tell in which order words were first seen, which differs from one vocabulary to another.
    if (near.length > 1) near.sort((a, b) => (soundTexts[a] < soundTexts[b] ? -1 : 1));
    for (const number of near.slice(0, MAX_SOUNDS_PER_WORD - found.length)) found.push({ sound: number, ofError });
    return found;
  }

  /** The names that share the most telling words, at most so many. */
  function candidatesFor(similar: readonly (readonly Similar[])[], counts: (index: number) => boolean): number[] {
    const all = similar.flat();
    all.sort((a, b) => sizeOf(a.sound) - sizeOf(b.sound));
    let scanned = 0;
    let count = 0;
    for (const { sound, ofError } of all) {
      if (scanned > 0 && scanned + sizeOf(sound) > MAX_ENTRIES_SCANNED) break;
      scanned += sizeOf(sound);
      const evidence = Number.isNaN(ofError) ? weights[sound] : Math.min(ofError, weights[sound]);
      for (let at = postingStarts[sound]; at < postingStarts[sound + 1]; at++) {
        const name = postings[at];
        if (gathered[name] === 0) touched[count++] = name;
        gathered[name] += evidence;
      }
    }
    const best: number[] = [];
    for (let i = 0; i < count; i++) {
      const name = touched[i];
      const full = best.length === MAX_CANDIDATES;
      if (full && gathered[name] <= gathered[best[MAX_CANDIDATES - 1]]) continue;
      if (!counts(name)) continue;
      if (full) best.pop();
      let at = best.length;
      while (at > 0 && gathered[best[at - 1]] < gathered[name]) at--;
      best.splice(at, 0, name);
    }
    for (let i = 0; i < count; i++) gathered[touched[i]] = 0;
    return best;
  }

  /** How many names have it; none those that the vocabulary has learnt since. */
  function sizeOf(sound: number): number {
    return sound + 1 < postingStarts.length ? postingStarts[sound + 1] - postingStarts[sound] : 0;
  }

  function likeness(own: readonly NameWord[], similar: readonly (readonly Similar[])[], name: number): number {
    const from = starts[name];
    const count = starts[name + 1] - from;
    let taken = 0;
    let unpaired = -1;
    let evidence = 0;
    let pairs = 0;
    for (let i = 0; i < own.length; i++) {
      const text = vocabulary.textNumber(own[i].text);
      let best = -1;
      let most = Number.NEGATIVE_INFINITY;
      for (let j = 0; j < count; j++) {
        if ((taken & (1 << j)) !== 0) continue;
        const value = evidenceOf(own[i], text, similar[i], from + j);
        if (value > most) {
          most = value;
          best = j;
        }
      }
      if (most <= 0) {
        unpaired = i;
        continue;
      }
      taken |= 1 << best;
      evidence += most;
      pairs += 1;
    }
    if (pairs === 0) return 0;
    let different = Math.min(own.length, count) - pairs;
    const leftOut = Math.abs(own.length - count);
    if (different === 1 && pairs >= 2 && similar[unpaired].length === 0) {
      // A word that nobody has, for one that is close to it: two letters are wrong, or one of a short word.
      const other = soundTexts[soundOfWord[from + lowestZero(taken)]];
      if (isCloseTo(own[unpaired].sound, other)) {
        different = 0;
        evidence += CLOSE;
      }
    }
    const total = evidence - different * DIFFERENT - leftOut * LEFT_OUT - chance;
    const value = 1 / (1 + Math.exp(-SLOPE * total));
    return pairs === 1 && own.length + count > 2 ? Math.min(value, MAX_OF_ONE_WORD) : value;
  }

  /** That two words are the same one; 0 where they are not alike. */
  function evidenceOf(word: NameWord, text: number | undefined, similar: readonly Similar[], at: number): number {
    const sound = soundOfWord[at];
    if (text === textOfWord[at]) return weights[sound];
    for (const each of similar) {
      if (each.sound !== sound) continue;
      return Number.isNaN(each.ofError) ? weights[sound] - SOUND_ONLY : Math.min(each.ofError, weights[sound]);
    }
    const other = soundTexts[sound];
    if (word.sound.length !== 1 && other.length !== 1) return 0;
    return word.sound[0] === other[0] ? INITIAL : 0;
  }

  return {
    find(name, counts) {
      // In one order, so that another order of the words gives the same bits.
      const own = wordsOf(name).sort((a, b) => (a.text < b.text ? -1 : 1));
      const equal = equals.get(keyOf(own))?.find(counts);
      if (equal !== undefined) return own.length === 0 ? null : { index: equal, similarity: 1 };
      const similar = own.map(similarTo);
      let best: NameMatch | null = null;
      for (const index of candidatesFor(similar, counts)) {
        const similarity = likeness(own, similar, index);
        if (similarity > (best?.similarity ?? 0)) best = { index, similarity };
      }
      return best;
    },
  };
}

/** For each sound the names that have it, each name once. */
function invert(starts: Int32Array, soundOfWord: Int32Array, sounds: number) {
  const lastName = new Int32Array(sounds).fill(-1);
  const postingStarts = new Int32Array(sounds + 1);
  const each = (visit: (sound: number, name: number) => void) => {
    lastName.fill(-1);
    for (let name = 0; name + 1 < starts.length; name++) {
      for (let at = starts[name]; at < starts[name + 1]; at++) {
        const sound = soundOfWord[at];
        if (lastName[sound] === name) continue;
        lastName[sound] = name;
        visit(sound, name);
      }
    }
  };
  each((sound) => {
    postingStarts[sound + 1] += 1;
  });
  for (let sound = 0; sound < sounds; sound++) postingStarts[sound + 1] += postingStarts[sound];
  const next = postingStarts.slice(0, sounds);
  const postings = new Int32Array(postingStarts[sounds]);
  each((sound, name) => {
    postings[next[sound]++] = name;
  });
  return { postings, postingStarts };
}

/** The first bit that is not set. */
function lowestZero(bits: number): number {
  return 31 - Math.clz32(~bits & (bits + 1));
}

/** One letter wrong of three or more, or two of five or more. */
function isCloseTo(a: string, b: string): boolean {
  const shorter = Math.min(a.length, b.length);
  if (shorter < 3) return false;
  if (isOneErrorAway(a, b)) return true;
  return shorter >= 5 && Math.abs(a.length - b.length) <= 2 && editDistance(a, b) <= 2;
}

const distances = new Int32Array(64);

/** Levenshtein's, of the first letters where the words are longer than any name. */
function editDistance(long: string, short: string): number {
  const a = long.slice(0, distances.length - 1);
  const b = short.slice(0, distances.length - 1);
  for (let j = 0; j <= b.length; j++) distances[j] = j;
  for (let i = 1; i <= a.length; i++) {
    let diagonal = distances[0];
    distances[0] = i;
    for (let j = 1; j <= b.length; j++) {
      const changed = diagonal + (a[i - 1] === b[j - 1] ? 0 : 1);
      diagonal = distances[j];
      distances[j] = Math.min(changed, distances[j] + 1, distances[j - 1] + 1);
    }
  }
  return distances[b.length];
}

/** One letter more, less, other, or two neighbours exchanged. */
function isOneErrorAway(a: string, b: string): boolean {
  let start = 0;
  while (start < a.length && start < b.length && a[start] === b[start]) start++;
  let endA = a.length;
  let endB = b.length;
  while (endA > start && endB > start && a[endA - 1] === b[endB - 1]) {
    endA--;
    endB--;
  }
  const lengthA = endA - start;
  const lengthB = endB - start;
  if (lengthA <= 1 && lengthB <= 1) return true;
  return lengthA === 2 && lengthB === 2 && a[start] === b[start + 1] && a[start + 1] === b[start];
}
