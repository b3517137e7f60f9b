// A rule as text, always in the same form: what is kept, hashed and approved. Comments and layout of the file it came from
// do not count; read again, it is the same rule.
import { isoDate, limaDayNumber } from '../domain/calendar.ts';
import type { Rule } from './rule.ts';

/** JSON, which `readRules` reads. */
export function writeRule(rule: Rule): string {
  const { id, version, name, owner, severity, reason, action, mode, typologies, notes, source } = rule;
  const content = {
    ...{ id, version, name: { es: name.es, en: name.en }, owner, severity, reason, action, mode },
    ...(rule.fromMs !== null && { from: isoDate(limaDayNumber(rule.fromMs)) }),
    ...(rule.untilMs !== null && { until: isoDate(limaDayNumber(rule.untilMs)) }),
    ...{ typologies, ...(notes !== null && { notes }), when: source },
  };
  return `${JSON.stringify({ rules: [content] }, null, 1)}\n`;
}
