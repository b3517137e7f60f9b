// What each rule is worth, those that the candidate brings, changes or takes away first.
import { integer, percent } from '../../decisions/reasons/format.ts';
import { both, type Html, html } from '../html.ts';
import { intervalText, signed, solesText } from './figures.ts';
import type { ReplayedRule } from './replay-data.ts';
import { MODE_TEXTS, PROPOSAL_TEXTS, RULE_CHANGE_TEXTS, REPLAY_TEXTS as T } from './replay-texts.ts';

export function rulesSection(rules: readonly ReplayedRule[]): Html {
  const changed = rules.filter(({ change }) => change !== 'same');
  const same = rules
    .filter(({ change }) => change === 'same')
    .sort((a, b) => b.record.savedMinor - a.record.savedMinor);
  const first = changed.length === 0 ? html`<p class="quiet">${both(T.none)}</p>` : tableOf(changed);
  const rest =
    same.length === 0
      ? null
      : html`<details><summary>${both(T.otherRules)} (${integer(same.length)})</summary>${tableOf(same)}</details>`;
  return html`<section id="rules"><h2>${both(T.rules)}</h2><p class="quiet">${both(T.rulesHint)}</p>${first}${rest}</section>`;
}

function tableOf(rules: readonly ReplayedRule[]): Html {
  const number = [T.hits, { es: 'Precisión', en: 'Precision' }, T.caught, T.unique, T.customers, T.saved];
  const heads = number.map((text) => html`<th scope="col" class="num">${both(text)}</th>`);
  return html`<div class="scroll"><table><thead><tr><th scope="col">${both(T.rule)}</th>${heads}<th scope="col">${both(T.proposal)}</th></tr></thead><tbody>${rules.map(rowOf)}</tbody></table></div>`;
}

function rowOf({ change, record }: ReplayedRule): Html {
  const { rule, name, mode, hits, precision, caughtMinor, uniqueFrauds, uniqueMinor, goodCustomers, savedMinor } =
    record;
  const state = [
    ...(change === 'same' ? [] : [RULE_CHANGE_TEXTS[change]]),
    ...(mode === 'live' ? [] : [MODE_TEXTS[mode]]),
  ].map((text) => html` · ${both(text)}`);
  const unique =
    uniqueFrauds === 0 ? '0' : html`${integer(uniqueFrauds)} <span class="quiet">${solesText(uniqueMinor)}</span>`;
  const { proposal } = record;
  // That a rule is kept since it saves money stands beside it already.
  const reason =
    proposal.kind === 'keep' && hits > 0 ? null : html`<br><span class="quiet">${both(proposal.reason)}</span>`;
  return html`<tr><th scope="row">${both(name)}<br><code>${rule}</code><span class="quiet">${state}</span></th><td class="num">${integer(hits)}</td><td class="num">${precision === null ? '—' : both(percent(precision))}</td><td class="num">${solesText(caughtMinor)}</td><td class="num">${unique}</td><td class="num">${integer(goodCustomers)}</td><td class="num"><strong>${signed(savedMinor, solesText)}</strong><br><span class="quiet">${intervalText(record.savedInterval, solesText)}</span></td><td><strong>${both(PROPOSAL_TEXTS[proposal.kind])}</strong>${reason}</td></tr>`;
}
