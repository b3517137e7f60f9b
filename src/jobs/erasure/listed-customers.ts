// Customers on kept lists, who are known by tokens alone: found for an erasure, and taken off.
//
// A value of a list is compared by its token, however it is written; names by their words in any order. Lists of sanctions and
// of politically exposed people are an authority's, not the bank's: who is on one stays there, whoever asks (Ley 29733, art. 14:
// what a law obliges to keep), and so does what the history of a list holds.
import { randomBytes } from 'node:crypto';
import { InputError } from '../../lib/errors.ts';
import type { ListDefinition, ListPurpose } from '../../lists/kept-list.ts';
import { wordsOf } from '../../lists/name-words.ts';
import type { SubjectToken, Tokens } from '../../privacy/tokens.ts';
import type { ErasedCustomer } from '../../records/keys/erasures.ts';
import type { ListDesk } from '../books/list-desk.ts';

/** A value on a list: where it stands first. */
export interface ListedValue {
  readonly list: string;
  readonly id: number;
}

/** Lists that the bank keeps for reasons of its own. */
const OWN_PURPOSES: ReadonlySet<ListPurpose> = new Set(['block', 'trust', 'watch']);
const PAGE = 1000;
const WHY = 'supresión';

/** What stands for one of the customer's ids, documents, accounts, cards, phones or names. */
export function identifierTokens(value: string, tokens: Tokens): readonly SubjectToken[] {
  const exact = tokens.subject(value.trim());
  return /\p{L}\s+\p{L}/u.test(value.trim()) ? [exact, nameToken(value, tokens)] : [exact];
}

/** On lists of the bank's own, in force now; each value once. */
export async function findListed(
  desk: ListDesk,
  wanted: ReadonlySet<SubjectToken>,
  tokens: Tokens,
  nowMs: number,
): Promise<readonly ListedValue[]> {
  const found: ListedValue[] = [];
  for (const { name, match, purpose } of await desk.definitions()) {
    if (!OWN_PURPOSES.has(purpose)) continue;
    const seen = new Set<SubjectToken>();
    for (let after: number | null = -1; after !== null; ) {
      const page = await desk.entries(name, nowMs, after, PAGE);
      for (const { value, id } of page.rows) {
        const token = listedToken(value, match, tokens);
        if (!wanted.has(token) || seen.has(token)) continue;
        seen.add(token);
        found.push({ list: name, id });
      }
      after = page.next;
      // Lists may have millions of entries, and payments are being decided meanwhile.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return found;
}

/**
 * Takes what is found off the lists: each value by an entry of the history, which is written once however often this is begun.
 *
 * @returns how many values this erasure has taken off by now
 */
export async function takeOffLists(
  desk: ListDesk,
  { id: erasure, tokens: wanted }: ErasedCustomer,
  tokens: Tokens,
  nowMs: number,
): Promise<number> {
  for (const { list, id } of await findListed(desk, wanted, tokens, nowMs)) {
    const salt = randomBytes(16).toString('hex');
    const via = {
      kind: 'system',
      name: 'Centinela',
      address: null,
      request: `${requestsOf(erasure)}${list}/${id}`,
      salt,
    } as const;
    try {
      await desk.remove(list, { id }, { by: 'system', why: `${WHY} ${erasure}`, atMs: nowMs, via });
    } catch (error) {
      // Somebody has taken it off meanwhile.
      if (!(error instanceof InputError) || error.code !== 'LIST_VALUE_UNKNOWN') throw error;
    }
  }
  const history = await desk.history();
  return history.filter(({ via }) => via?.request.startsWith(requestsOf(erasure)) === true).length;
}

/** Of all changes that an erasure makes, the beginning. */
function requestsOf(erasure: string): string {
  return `erasure/${erasure}/`;
}

function listedToken(value: string, match: ListDefinition['match'], tokens: Tokens): SubjectToken {
  return match === 'name' ? nameToken(value, tokens) : tokens.subject(value);
}

function nameToken(name: string, tokens: Tokens): SubjectToken {
  const words = wordsOf(name).map(({ text }) => text);
  return tokens.subject(`name ${words.sort().join(' ')}`);
}
