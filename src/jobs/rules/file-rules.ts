// The rules of files beneath those of the book: a service starts with files, and people go on in the book.
//
// A rule of a file has its say until the book has had a version of it in force; from then on the book alone says what becomes
// of it, also where it was retired. Its next version is higher than the file's, so that a name is one text for ever.
import type { RuleOverride } from '../../decisions/verdict.ts';
import { InputError } from '../../lib/errors.ts';
import type { EffectiveRules, RuleBook } from '../../registry/rule-book.ts';
import { type RuleVersion, ruleBookAt } from '../../registry/rule-book-state.ts';
import type { PlacedRule } from '../../rules/read-rules.ts';
import { ruleVersion } from '../../rules/rule.ts';

interface KnownEffective {
  /** Hash of the last entry. */
  readonly head: string;
  readonly fromMs: number;
  readonly untilMs: number;
  readonly effective: EffectiveRules;
}

const MOST_KNOWN = 4;

/**
 * What is in force is worked out once for as long as it stays the same: reading some hundred rules takes longer than a
 * payment may wait, and there are those who ask all the time.
 *
 * @param entityId an id as transactions have it in the stream
 */
export function withFileRules(
  book: RuleBook,
  files: readonly PlacedRule[],
  entityId: (field: RuleOverride['field'], id: string) => string = (_, id) => id,
): RuleBook {
  let known: readonly KnownEffective[] = [];
  const ofFile = (id: string) => files.find(({ rule }) => rule.id === id)?.rule;
  const hintOfFile = (error: unknown, id: string): never => {
    const rule = ofFile(id);
    if (rule === undefined || (error as InputError).code !== 'RULE_NOT_IN_FORCE') throw error;
    throw new InputError(
      'RULE_OF_FILES',
      `${ruleVersion(rule)} is of the files that the service was started with`,
      `Propose version ${rule.version + 1} with what is to change, with mode: off to take it out of force`,
    );
  };
  return {
    ...book,
    async effectiveAt(timeMs) {
      const last = (await book.history()).at(-1);
      const isPresent = last === undefined || timeMs >= last.atMs;
      const head = last?.hash ?? '';
      const found = known.find(
        (each) => each.head === head && timeMs >= each.fromMs && (timeMs < each.untilMs || timeMs === each.fromMs),
      );
      if (found !== undefined) return found.effective;
      const { rules, overrides: written } = await book.effectiveAt(timeMs);
      const overrides = written.map((each) => ({ ...each, value: entityId(each.field, each.value) }));
      const { versions, snoozes } = ruleBookAt(await book.history(), timeMs);
      const own = new Set(versions.filter(wasInForce).map(({ id }) => id));
      const effective = { rules: [...files.filter(({ rule }) => !own.has(rule.id)), ...rules], overrides };
      const ends = [...snoozes.values(), ...overrides.map(({ untilMs }) => untilMs)];
      const untilMs = Math.min(...ends, Number.POSITIVE_INFINITY);
      if (isPresent) known = [...known.slice(1 - MOST_KNOWN), { head, fromMs: timeMs, untilMs, effective }];
      return effective;
    },
    async propose(rule, act) {
      const known = ofFile(rule.id);
      if (known === undefined || known.version < rule.version) return book.propose(rule, act);
      throw new InputError(
        'RULE_VERSION_TAKEN',
        `${ruleVersion(known)} is of the files that the service was started with, and versions never change`,
        `Propose version ${known.version + 1}`,
      );
    },
    retire: (id, act) => book.retire(id, act).catch((error) => hintOfFile(error, id)),
    snooze: (id, untilMs, act) => book.snooze(id, untilMs, act).catch((error) => hintOfFile(error, id)),
    override: (override, act) => book.override(override, act).catch((error) => hintOfFile(error, override.ruleId)),
  };
}

function wasInForce({ state, approvedBy }: RuleVersion): boolean {
  return approvedBy !== null && state !== 'rejected';
}
