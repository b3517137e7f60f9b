// Data quality, how to read the report, and what was not checked.
import { integer } from '../../decisions/reasons/format.ts';
import { both, type Html, html, NOTHING } from '../html.ts';
import type { Bilingual, ReportData } from '../report-data.ts';
import { HOW_TO_READ, TEXTS } from '../texts.ts';

const SEVERITY_ORDER = ['error', 'warning', 'info'] as const;

export function qualitySection({ quality }: ReportData): Html {
  const ordered = [...quality].sort(
    (a, b) => SEVERITY_ORDER.indexOf(a.severity) - SEVERITY_ORDER.indexOf(b.severity) || b.rows - a.rows,
  );
  const table = html`<table><thead><tr><th scope="col">${both(TEXTS.finding)}</th><th scope="col">${both(TEXTS.severity)}</th><th scope="col" class="num">${both(TEXTS.rowsColumn)}</th></tr></thead><tbody>${ordered.map(
    ({ code, text, rows, severity }) =>
      html`<tr><th scope="row">${both(text)} <code>${code}</code></th><td><span class="severity ${severity}">${both(TEXTS[severity])}</span></td><td class="num">${integer(rows)}</td></tr>`,
  )}</tbody></table>`;
  return html`<section id="quality" class="half"><h2>${both(TEXTS.qualityTitle)}</h2>${quality.length === 0 ? html`<div class="empty"><p>${both(TEXTS.qualityNone)}</p></div>` : table}</section>`;
}

export function notesSections({ notes, notChecked }: ReportData): Html {
  return html`<section id="how-to-read" class="half"><h2>${both(TEXTS.howToRead)}</h2>${list([...notes, ...HOW_TO_READ])}</section>
${notChecked.length === 0 ? NOTHING : html`<section id="not-checked" class="half"><h2>${both(TEXTS.notChecked)}</h2>${list(notChecked)}</section>`}`;
}

function list(items: readonly Bilingual[]): Html {
  return html`<ul class="notes">${items.map((item) => html`<li>${both(item)}</li>`)}</ul>`;
}
