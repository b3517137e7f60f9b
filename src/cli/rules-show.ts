// `rules list`, `rules show ID@VERSION`, `rules history`: what is in the rule book.
import { checkVersion } from '../jobs/rules/change-rules.ts';
import { checkHere } from '../jobs/rules/check-beside.ts';
import { InputError } from '../lib/errors.ts';
import { isInForce, ruleBookAt } from '../registry/rule-book-state.ts';
import { limaTimestamp } from '../report/lima-time.ts';
import { ruleVersion } from '../rules/rule.ts';
import type { CommandContext, OptionValues } from './command.ts';
import { ruleBookOf, vocabularyOf, wanted } from './rule-options.ts';

/** @param id only this rule's versions; without it what is in force or waits for approval */
export async function list(id: string | undefined, options: OptionValues, context: CommandContext): Promise<void> {
  const { versions, snoozes, overrides } = ruleBookAt(await ruleBookOf(options).history(), context.nowMs());
  const shown = versions.filter((each) =>
    id === undefined ? isInForce(each) || each.state === 'proposed' : each.id === id,
  );
  if (options.json === true) {
    const ofShown = overrides.filter(({ ruleId }) => shown.some((each) => each.id === ruleId));
    const rules = shown.map((each) => ({ ...each, snoozedUntilMs: snoozes.get(each.id) ?? null }));
    context.out(`${JSON.stringify({ rules, overrides: ofShown })}\n`);
    return;
  }
  if (shown.length === 0) context.out("No rules here: propose some with 'centinela rules propose FILE --by NAME'.\n");
  const width = Math.max(0, ...shown.map((each) => ruleVersion(each).length));
  for (const each of shown) {
    const approved = each.approvedBy === null ? '' : `, approved by ${each.approvedBy}`;
    const snoozed = snoozes.get(each.id);
    context.out(
      `${ruleVersion(each).padEnd(width)}  ${each.state.padEnd('superseded'.length)}  proposed by ${each.proposedBy}${approved}` +
        `${snoozed !== undefined && isInForce(each) ? `, snoozed until ${limaTimestamp(snoozed)}` : ''}\n`,
    );
  }
  for (const { ruleId, field, value, untilMs, reason } of overrides) {
    if (!shown.some((each) => each.id === ruleId)) continue;
    context.out(`${ruleId} does not count for ${field} ${value} until ${limaTimestamp(untilMs)}: ${reason}\n`);
  }
}

export async function show(name: string | undefined, options: OptionValues, { out }: CommandContext): Promise<void> {
  const book = ruleBookOf(options);
  const { versions } = ruleBookAt(await book.history(), Number.POSITIVE_INFINITY);
  const version = versions.find((each) => ruleVersion(each) === wanted('rules show', name, 'version (ID@VERSION)'));
  if (version === undefined) {
    throw new InputError('RULE_UNKNOWN', `There is no version '${name}'`, "See 'centinela rules list'");
  }
  const text = await book.textOf(version);
  if (options.json === true) {
    const check = checkHere(await vocabularyOf(options));
    const { outlines, problems } = await checkVersion({ path: ruleVersion(version), text }, book, check);
    const [condition] = outlines;
    out(`${JSON.stringify({ ...version, text: JSON.parse(text), condition: condition ?? null, problems })}\n`);
  } else out(`${text}# ${ruleVersion(version)} is ${version.state}; SHA-256 ${version.sha256}\n`);
}

export async function history(id: string | undefined, options: OptionValues, { out }: CommandContext): Promise<void> {
  const entries = await ruleBookOf(options).history();
  const shown = entries.filter(({ event }) => id === undefined || event.id === id);
  if (options.json === true) {
    out(`${JSON.stringify({ entries: shown, head: entries.at(-1)?.hash ?? null })}\n`);
    return;
  }
  for (const { number, atMs, by, why, event } of shown) {
    const what = 'version' in event ? ruleVersion(event) : event.id;
    const until = 'untilMs' in event ? ` until ${limaTimestamp(event.untilMs)}` : '';
    const entity = 'field' in event ? ` for ${event.field} ${event.value}` : '';
    out(
      `${number}  ${limaTimestamp(atMs)}  ${by}  ${event.kind} ${what}${entity}${until}${why === '' ? '' : `: ${why}`}\n`,
    );
  }
  if (entries.length > 0) out(`${entries.length} entries; the last one's hash is ${entries.at(-1)!.hash}\n`);
}
