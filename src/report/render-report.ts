// report.html: one self-contained page in Spanish and English.
import { both, html, trusted } from './html.ts';
import { limaTimestamp } from './lima-time.ts';
import type { Locale, ReportData } from './report-data.ts';

const CSP = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** The whole page. @param locale the language shown first; the reader can switch. */
export function renderReport(data: ReportData, locale: Locale): string {
  const rows = data.anomalies.map(
    (anomaly) =>
      html`<tr><td>${anomaly.rank}</td><td>${limaTimestamp(anomaly.timeMs)}</td><td>${anomaly.id}</td><td>${anomaly.reasons.map((reason) => html`<p>${both(reason)}</p>`)}</td></tr>`,
  );
  return html`${trusted('<!doctype html>')}
<html lang="${locale}"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${CSP}"><title>Centinela · ${data.summary.fileName}</title></head>
<body><h1>Centinela</h1><table>${rows}</table></body></html>`.markup;
}
