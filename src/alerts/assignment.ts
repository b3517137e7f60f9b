// Who gets the next case where nobody takes it: in turn, or whoever has least to do.
//
// Pure and total: the same people and figures give the same choice, so that an automatic assignment can be explained.

export interface Candidate {
  readonly id: string;
  readonly roles: readonly string[];
  readonly isPresent: boolean;
  /** Cases that are open with this person. */
  readonly open: number;
  /** How many this person takes at most. */
  readonly mostOpen: number;
  /** When this person last got one, ms UTC; null for never. */
  readonly lastAssignedMs: number | null;
}

export type AssignmentMethod = 'round-robin' | 'least-loaded';

/** @returns the id of the person; null where nobody may or can take it, and it stays in its queue */
export function chooseAssignee(
  candidates: readonly Candidate[],
  rolesOfQueue: readonly string[],
  method: AssignmentMethod,
): string | null {
  const able = candidates.filter(
    ({ isPresent, open, mostOpen, roles }) =>
      isPresent && open < mostOpen && roles.some((role) => rolesOfQueue.includes(role)),
  );
  const longest = (a: Candidate, b: Candidate) => (a.lastAssignedMs ?? -1) - (b.lastAssignedMs ?? -1);
  const byId = (a: Candidate, b: Candidate) => (a.id < b.id ? -1 : 1);
  const order =
    method === 'round-robin'
      ? (a: Candidate, b: Candidate) => longest(a, b) || byId(a, b)
      : (a: Candidate, b: Candidate) => a.open - b.open || longest(a, b) || byId(a, b);
  return [...able].sort(order)[0]?.id ?? null;
}

/** Shares several cases out, most urgent first, counting those that were just given. */
export function shareOut(
  cases: readonly { readonly id: string; readonly rolesOfQueue: readonly string[] }[],
  candidates: readonly Candidate[],
  method: AssignmentMethod,
  atMs: number,
): readonly { readonly id: string; readonly assignee: string }[] {
  const present = new Map(candidates.map((candidate) => [candidate.id, candidate]));
  const given: { id: string; assignee: string }[] = [];
  for (const { id, rolesOfQueue } of cases) {
    const assignee = chooseAssignee([...present.values()], rolesOfQueue, method);
    if (assignee === null) continue;
    const before = present.get(assignee)!;
    // Of several within one millisecond the order of giving is the order of time.
    present.set(assignee, { ...before, open: before.open + 1, lastAssignedMs: atMs + given.length });
    given.push({ id, assignee });
  }
  return given;
}
