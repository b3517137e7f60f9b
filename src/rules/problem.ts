// What is wrong with a rule, where, and what to do: all problems of a set are found at once, not one a try.

export interface Problem {
  /** Characters from the beginning of the expression; of the file once `read-rules.ts` has placed it. */
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

/** The known name that is most like a mistyped one; null where none is near. */
export function nearest(name: string, known: Iterable<string>): string | null {
  const lower = name.toLowerCase();
  let best: string | null = null;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(lower, candidate.toLowerCase(), least);
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** `did you mean …?`, or else what to look up. */
export function suggestion(name: string, known: Iterable<string>, otherwise: string): string {
  const near = nearest(name, known);
  return near === null ? otherwise : `Did you mean ${near}?`;
}

/** Levenshtein's distance; anything from `limit` on is as good as `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return Math.min(limit, row[b.length]);
}
