// Writes rules as a file that `readRules` reads again to the same rules.
import { stringify } from 'yaml';
import { printExpression } from './print-expression.ts';
import type { Rule } from './rule.ts';

/** Peru keeps UTC−5 the whole year. */
const LIMA_OFFSET_MS = 5 * 3_600_000;
const LINE_WIDTH = 120;

/** @param comment lines for the top of the file, without their # */
export function writeRules(rules: readonly Rule[], comment: readonly string[]): string {
  const day = (timeMs: number) => new Date(timeMs - LIMA_OFFSET_MS).toISOString().slice(0, 10);
  const written = rules.map(({ id, version, name, owner, severity, reason, action, mode, notes, when, ...rule }) => ({
    ...{ id, version, name, owner, severity, reason, action, mode },
    ...(rule.fromMs !== null && { from: day(rule.fromMs) }),
    ...(rule.untilMs !== null && { until: day(rule.untilMs) }),
    ...(rule.typologies.length > 0 && { typologies: [...rule.typologies] }),
    ...(notes !== null && { notes }),
    when: printExpression(when),
  }));
  return `${comment.map((line) => `# ${line}\n`).join('')}${stringify({ rules: written }, { lineWidth: LINE_WIDTH })}`;
}
