// The lists that rules of a running worker ask, as of an entry of their history: a change of a list goes through the stream as
// the number of that entry, so the log holds nobody's account, and whoever reads it again has the same lists.
//
// A list that no entry since has touched is taken as it was made before: an index of a million names is not made again
// because somebody blocked an account. One of names that was touched is made with what is known of its names.
import type { RuleInput } from '../../decisions/rule-names.ts';
import type { ControlLists } from '../../domain/stream-records.ts';
import { InputError } from '../../lib/errors.ts';
import { NameVocabulary } from '../../lists/name-vocabulary.ts';
import type { HistoryEntry } from '../../registry/history.ts';
import type { ListBook } from '../../registry/list-book.ts';
import type { ListEvent, ListState } from '../../registry/list-book-state.ts';
import type { RuleList } from '../../rules/names.ts';
import { type Canonical, type RuleLists, ruleListFor } from '../rules/rule-lists.ts';

interface Made {
  /** The last entry that touched it. */
  readonly touched: number;
  readonly list: RuleList<RuleInput>;
  /** null where its values are compared as they are. */
  readonly vocabulary: NameVocabulary | null;
}

export class LiveLists {
  readonly #book: ListBook;
  readonly #canonical: Canonical;
  #made = new Map<string, Made>();

  /** @param canonical ids as transactions have them in the stream: tokens where they are somebody's number */
  constructor(book: ListBook, canonical: Canonical) {
    this.#book = book;
    this.#canonical = canonical;
  }

  /** As they are now. */
  async newest(): Promise<RuleLists> {
    return this.#make(await this.#book.history());
  }

  /** @throws InputError where the history here has no such entry, or another one, and its loss was not accepted */
  async at({ entry, hash }: ControlLists): Promise<RuleLists> {
    const entries = await this.#book.history();
    if (entries[entry - 1]?.hash === hash) return this.#make(entries.slice(0, entry));
    const standing = await this.#book.standingFor({ entry, hash });
    if (standing !== null && standing <= entries.length) return this.#make(entries.slice(0, standing));
    const what = entries.length < entry ? `has ${entries.length} entries` : 'has another one';
    throw new InputError(
      'LIST_ENTRY_UNKNOWN',
      `A change speaks of entry ${entry} of the history of lists, which ${what} here`,
      'Give the worker the folder or bucket that the lists are changed in',
    );
  }

  async #make(entries: readonly HistoryEntry<ListEvent>[]): Promise<RuleLists> {
    const touched = new Map<string, number>();
    for (const { number, event } of entries) touched.set(listOf(event), number);
    const states = await this.#book.listsAt(entries.length);
    const made = new Map<string, Made>();
    for (const [name, state] of states) {
      const at = touched.get(name) ?? 0;
      const before = this.#made.get(name);
      made.set(name, before?.touched === at ? before : this.#makeOne(state, at, before?.vocabulary ?? null));
    }
    this.#made = made;
    return new Map([...made].map(([name, { list }]) => [name, list]));
  }

  #makeOne(state: ListState, touched: number, known: NameVocabulary | null): Made {
    if (state.definition.match === 'exact') {
      return { touched, list: ruleListFor(state, this.#canonical), vocabulary: null };
    }
    const vocabulary = known?.isWorthKeeping(state.entries.length) === true ? known : new NameVocabulary();
    const list = ruleListFor(state, this.#canonical, vocabulary);
    vocabulary.keepOnly(state.entries.map(({ value }) => value));
    return { touched, list, vocabulary };
  }
}

/** Empty where the entry says nothing any more. */
export function listOf(event: ListEvent): string {
  if (event.kind === 'forgotten') return '';
  return event.kind === 'defined' ? event.definition.name : event.list;
}
