// Groups of anomalies that were flagged for like reasons: what each has in common, how large it is, when and where.
import { reasonText } from '../../decisions/reason-codes.ts';
import { integer, percent } from '../../decisions/reasons/format.ts';
import { formatMoney } from '../../domain/money.ts';
import type { Clock } from '../clock.ts';
import { both, type Html, type HtmlValue, html, NOTHING } from '../html.ts';
import type { AnomalyGroup, Bilingual, Channel, MoneyTotal, ReportData } from '../report-data.ts';
import { TEXTS } from '../texts.ts';

const GROUP_TEXTS = {
  title: { es: 'Grupos de anomalías parecidas', en: 'Groups of similar anomalies' },
  hint: {
    es: 'Se agrupan por sus motivos; el porcentaje es la parte del grupo que comparte cada uno.',
    en: 'Grouped by their reasons; the percentage is the share of the group that has each.',
  },
  inGroups: { es: 'están en algún grupo.', en: 'are in a group.' },
  shared: { es: 'Qué comparten', en: 'What they share' },
  count: { es: 'Anomalías', en: 'Anomalies' },
  labelled: { es: 'Fraude o error', en: 'Fraud or error' },
  habits: { es: 'Cuándo y por dónde', en: 'When and where' },
  examples: { es: 'Las de más riesgo', en: 'Riskiest' },
  anyHour: { es: 'a toda hora', en: 'at all hours' },
} as const satisfies Record<string, Bilingual>;

const CHANNEL_TEXTS: Readonly<Record<Channel, Bilingual>> = {
  app: { es: 'app', en: 'app' },
  web: { es: 'web', en: 'web' },
  pos: { es: 'POS', en: 'POS' },
  ecommerce: { es: 'comercio electrónico', en: 'e-commerce' },
  atm: { es: 'cajero', en: 'ATM' },
  agent: { es: 'agente', en: 'agent' },
  branch: { es: 'agencia', en: 'branch' },
  batch: { es: 'lote', en: 'batch' },
  ussd: { es: 'USSD', en: 'USSD' },
};

/** A stretch of the day longer than this is no habit. */
const LONGEST_HABIT_HOURS = 14;

export function groupsSection({ groups, summary }: ReportData, clock: Clock): Html {
  if (groups.length === 0) return NOTHING;
  const labelled = groups.some(({ labels }) => labels !== null);
  const grouped = groups.reduce((sum, { count }) => sum + count, 0);
  return html`<section id="groups"><h2>${both(GROUP_TEXTS.title)}</h2><p class="quiet">${both(GROUP_TEXTS.hint)} ${integer(grouped)} ${both(TEXTS.anomaliesOf)} ${integer(summary.flagged)} ${both(GROUP_TEXTS.inGroups)}</p>
<div class="scroll"><table class="groups"><thead><tr><th scope="col" class="num">#</th><th scope="col">${both(GROUP_TEXTS.shared)}</th><th scope="col" class="num">${both(GROUP_TEXTS.count)}</th><th scope="col" class="num">${both(TEXTS.amount)}</th>${labelled ? html`<th scope="col" class="num">${both(GROUP_TEXTS.labelled)}</th>` : null}<th scope="col">${both(GROUP_TEXTS.habits)}<br><span class="zone">${both(clock.zone)}</span></th><th scope="col">${both(GROUP_TEXTS.examples)}</th></tr></thead><tbody>
${groups.map((group) => groupRow(group, labelled))}
</tbody></table></div></section>`;
}

function groupRow(group: AnomalyGroup, labelled: boolean): Html {
  const { number, count, amounts, examples } = group;
  return html`<tr><td class="num rank">${number}</td><td class="why">${reasonShares(group)}</td><td class="num">${integer(count)}</td><td class="num">${lines(amounts.map(moneyText))}</td>${labelled ? html`<td class="num">${labelShare(group)}</td>` : null}<td>${both(hoursText(group))}${channelShares(group)}</td><td>${examples.map((rank, index) => html`${index === 0 ? NOTHING : ', '}${rank}`)}</td></tr>`;
}

function reasonShares({ reasons }: AnomalyGroup): Html {
  if (reasons.length === 0) return html`<span class="quiet">${both(TEXTS.noReasons)}</span>`;
  return html`<ul class="reasons">${reasons.map(
    ({ code, share }) =>
      html`<li><span>${both(reasonText(code) ?? { es: code, en: code })} <span class="quiet">${both(percent(share))}</span></span></li>`,
  )}</ul>`;
}

function labelShare({ labels }: AnomalyGroup): Html {
  if (labels === null || labels.known === 0) return html`—`;
  return html`${both(percent(labels.positive / labels.known))}`;
}

function hoursText({ hours: { from, to, share } }: AnomalyGroup): Bilingual {
  const length = (to - from + 24) % 24 || 24;
  if (length > LONGEST_HABIT_HOURS) return GROUP_TEXTS.anyHour;
  const clock = (hour: number) => `${String(hour).padStart(2, '0')}:00`;
  const [es, en] = [percent(share).es, percent(share).en];
  return { es: `${clock(from)}–${clock(to)} (${es})`, en: `${clock(from)}–${clock(to)} (${en})` };
}

function channelShares({ channels }: AnomalyGroup): Html {
  if (channels.length === 0) return NOTHING;
  const texts = channels.map(({ channel, share }) => ({ name: CHANNEL_TEXTS[channel], share: percent(share) }));
  const told = (language: 'es' | 'en') =>
    texts.map(({ name, share }) => `${name[language]} ${share[language]}`).join(', ');
  return html`<br><span class="quiet">${both({ es: told('es'), en: told('en') })}</span>`;
}

function moneyText({ amountMinor, currency }: MoneyTotal): string {
  return formatMoney(Math.round(amountMinor), currency);
}

function lines(texts: readonly string[]): HtmlValue {
  return texts.map((text, index) => html`${index === 0 ? NOTHING : html`<br>`}${text}`);
}
