// What to do with a rule, from its record: keep it, watch it, retire it, put it live. A proposal is for a person to decide.
import { integer, percent } from '../reasons/format.ts';
import type { RuleRecord } from './rule-ledger.ts';

export type ProposalKind = 'keep' | 'watch' | 'retire' | 'promote';

export interface Proposal {
  readonly kind: ProposalKind;
  readonly reason: { readonly es: string; readonly en: string };
}

/** Fewer labelled hits prove nothing. */
const ENOUGH_HITS = 20;
/** A rule may wait this long for what it is meant for. */
const QUIET_DAYS = 28;
const WORSE_Z = -2;
/** Of the earlier precision. */
const WORSE_SHARE = 0.7;
/** Of the hits that another rule must share to stand for this one. */
const SAME_SHARE = 0.95;

/** @param days of history that the record covers */
export function proposalFor(record: Omit<RuleRecord, 'proposal'>, days: number): Proposal {
  const { hits, labelled, decisive, savedMinor, savedInterval, trend, overlaps, mode } = record;
  const saved = `S/ ${integer(Math.abs(savedMinor) / 100)}`;
  if (mode === 'off') return say('keep', 'está apagada', 'it is switched off');
  if (hits === 0) {
    const text = integer(days);
    return days < QUIET_DAYS
      ? say('keep', `sin aciertos en ${text} días: aún es pronto`, `no hits in ${text} days: too early to say`)
      : say('watch', `no se activó en ${text} días`, `did not fire in ${text} days`);
  }
  if (labelled >= ENOUGH_HITS && savedInterval.high < 0) {
    return mode === 'shadow'
      ? say(
          'retire',
          `en vivo costaría ${saved} más de lo que ahorra`,
          `live it would cost ${saved} more than it saves`,
        )
      : say('retire', `cuesta ${saved} más de lo que ahorra`, `it costs ${saved} more than it saves`);
  }
  if (hits >= ENOUGH_HITS && decisive === 0 && mode === 'live') {
    const other = overlaps.find(({ share }) => share >= SAME_SHARE);
    return other === undefined
      ? say('retire', 'sin ella se decidiría siempre lo mismo', 'without it every decision would be the same')
      : say('retire', `todo lo decide ya ${other.rule}`, `all of it is already decided by ${other.rule}`);
  }
  if (mode === 'shadow' && labelled >= ENOUGH_HITS && savedInterval.low > 0) {
    return say('promote', `en vivo ahorraría ${saved}`, `live it would save ${saved}`);
  }
  if (trend !== null && labelled >= ENOUGH_HITS && trend.z < WORSE_Z && trend.later < WORSE_SHARE * trend.earlier) {
    const [earlier, later] = [percent(trend.earlier), percent(trend.later)];
    const es = `su precisión cayó de ${earlier.es} a ${later.es}`;
    return say('watch', es, `its precision fell from ${earlier.en} to ${later.en}`);
  }
  if (savedMinor < 0) {
    return say('watch', `parece costar ${saved}; aún no es seguro`, `it seems to cost ${saved}; not yet certain`);
  }
  return say('keep', `ahorra ${saved}`, `it saves ${saved}`);
}

function say(kind: ProposalKind, es: string, en: string): Proposal {
  return { kind, reason: { es, en } };
}
