// The alerts that only one of the two versions raises: how many of each kind, and the largest with their reasons.
import { integer } from '../../decisions/reasons/format.ts';
import { formatMoney } from '../../domain/money.ts';
import type { Clock } from '../clock.ts';
import { both, type Html, html, NOTHING } from '../html.ts';
import { DECISION_TEXTS } from '../texts.ts';
import { solesText } from './figures.ts';
import { CHANGES, type ChangedAlert, type ChangedAlerts, type ReplayData } from './replay-data.ts';
import { CHANGE_TEXTS, LABEL_TEXTS, REPLAY_TEXTS as T } from './replay-texts.ts';

export function changesSection({ changes, otherAction }: ReplayData, clock: Clock): Html {
  const other =
    otherAction === 0 ? NOTHING : html`<p class="quiet">${integer(otherAction)} ${both(T.otherAction)}.</p>`;
  return html`<section id="changes"><h2>${both(T.changes)}</h2>${other}${CHANGES.map((change) => {
    const groups = changes.filter((group) => group.change === change && group.count > 0);
    return html`<h3>${both(CHANGE_TEXTS[change])}</h3>${groups.length === 0 ? html`<p class="quiet">${both(T.none)}</p>` : groups.map((group) => groupOf(group, clock))}`;
  })}</section>`;
}

function groupOf({ label, count, worthMinor, examples }: ChangedAlerts, clock: Clock): Html {
  const heads = [T.when, T.who, T.amount, T.action, T.why].map(
    (text) => html`<th scope="col" class="${text === T.amount ? 'num' : ''}">${both(text)}</th>`,
  );
  return html`<details ${label === 'unknown' ? NOTHING : html`open`}><summary>${integer(count)} × ${both(LABEL_TEXTS[label])}, ${solesText(worthMinor)}${count > examples.length ? html` (${both(T.largest)} ${examples.length})` : null}</summary><div class="scroll"><table><thead><tr>${heads}</tr></thead><tbody>${examples.map((example) => rowOf(example, clock))}</tbody></table></div></details>`;
}

function rowOf(example: ChangedAlert, clock: Clock): Html {
  const { id, timeMs, customer, amountMinor, currency, typology, live, candidate, rules, risk, reasons, values } =
    example;
  const seen = values.map(({ name, value }, index) => html`${index === 0 ? null : ' · '}<code>${name}</code> ${value}`);
  const raised = rules.length > 0 ? rules.join(', ') : risk === null ? '' : html`${both(T.risk)} ${risk.toFixed(3)}`;
  const reason = reasons.length === 0 ? NOTHING : both(reasons[0]);
  return html`<tr><td class="nowrap">${both(clock.date(timeMs))} ${clock.time(timeMs)}<br><code>${id}</code></td><td>${customer}</td><td class="num"><strong>${formatMoney(amountMinor, currency)}</strong>${typology === null ? null : html`<br><span class="quiet">${typology}</span>`}</td><td class="nowrap">${both(DECISION_TEXTS[live])} → <span class="decision ${candidate}">${both(DECISION_TEXTS[candidate])}</span></td><td>${reason} <span class="quiet">${raised}</span><br><span class="quiet">${seen}</span></td></tr>`;
}
