// Views of personal data, not one of which is lost, without an entry for each time that a page is shown again.
//
// The first time that a person looks at a subject is an entry of its own, there before anything is shown. What the same
// person looks at again within a minute is counted, and the count becomes one more entry when the minute is over, or when
// the program stops. So a crash can take the number of repetitions, never the fact that somebody looked (Ley 29733, DS
// 016-2024-JUS; PCI DSS 4.0.1, 10.2.1.1).
import type { AuditEntryDraft, JsonValue } from './entry.ts';

export const VIEWED = 'personal-data.viewed';

export interface PersonalDataView {
  readonly actor: AuditEntryDraft['actor'];
  readonly subject: NonNullable<AuditEntryDraft['subject']>;
  readonly address: string | null;
  /** Names of what was shown in clear: `payerName`; not what it said. */
  readonly fields: readonly string[];
}

export interface ViewSettings {
  readonly windowMs: number;
  /** Beyond so many at once a view is an entry of its own, whoever looked before. */
  readonly mostOpen: number;
}

export const DEFAULT_VIEWS: ViewSettings = { windowMs: 60_000, mostOpen: 10_000 };

interface Open {
  readonly view: PersonalDataView;
  readonly untilMs: number;
  firstMs: number;
  lastMs: number;
  repetitions: number;
}

export class ViewBuffer {
  readonly #settings: ViewSettings;
  /** In the order in which their minutes end. */
  readonly #open = new Map<string, Open>();

  constructor(settings: ViewSettings = DEFAULT_VIEWS) {
    this.#settings = settings;
  }

  get size(): number {
    return this.#open.size;
  }

  /** @returns what must be written before anything is shown; null where it is a repetition that is counted */
  note(view: PersonalDataView, nowMs: number): AuditEntryDraft | null {
    const key = viewKey(view);
    const open = this.#open.get(key);
    if (open !== undefined && nowMs < open.untilMs) {
      if (open.repetitions === 0) open.firstMs = nowMs;
      open.lastMs = nowMs;
      open.repetitions++;
      return null;
    }
    // One whose minute is over stays until it is taken; a new one under the same key would lose its count.
    if (open === undefined && this.#open.size < this.#settings.mostOpen) {
      const untilMs = nowMs + this.#settings.windowMs;
      this.#open.set(key, { view, untilMs, firstMs: nowMs, lastMs: nowMs, repetitions: 0 });
    }
    return draftOf(view, nowMs, {});
  }

  /** The first view could not be written, and nothing was shown. */
  forget(view: PersonalDataView): void {
    const open = this.#open.get(viewKey(view));
    if (open?.repetitions === 0) this.#open.delete(viewKey(view));
  }

  /** Counts whose minute is over; they are no longer kept here. @param nowMs Infinity for all */
  take(nowMs: number): AuditEntryDraft[] {
    const drafts: AuditEntryDraft[] = [];
    for (const [key, { view, untilMs, firstMs, lastMs, repetitions }] of this.#open) {
      if (untilMs > nowMs) break;
      this.#open.delete(key);
      if (repetitions > 0) drafts.push(draftOf(view, lastMs, { repetitions, firstMs, lastMs }));
    }
    return drafts;
  }
}

function draftOf(view: PersonalDataView, atMs: number, more: { readonly [name: string]: JsonValue }): AuditEntryDraft {
  const { actor, subject, address, fields } = view;
  return { atMs, actor, action: VIEWED, subject, detail: { fields: [...fields].sort(), ...more }, address };
}

/** What is one view: who, of what, from where, which fields. */
export function viewKey({ actor, subject, address, fields }: PersonalDataView): string {
  return JSON.stringify([actor.kind, actor.id, subject.kind, subject.id, address, [...fields].sort()]);
}
