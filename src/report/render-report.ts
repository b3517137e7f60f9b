// report.html: one self-contained page in Spanish and English that makes no request.
import { clockOf } from './clock.ts';
import { html, trusted } from './html.ts';
import type { Locale, ReportData } from './report-data.ts';
import { SCRIPT } from './script.ts';
import { anomaliesSection } from './sections/anomalies-section.ts';
import { notesSections, qualitySection } from './sections/notes-sections.ts';
import {
  distributionSection,
  driversSection,
  performanceSection,
  timelineSections,
  typologiesSection,
} from './sections/performance-section.ts';
import { costsSection, reliabilitySection } from './sections/probability-sections.ts';
import { analysedSection, figuresSection, headerSection } from './sections/summary-section.ts';
import { STYLE } from './style.ts';
import { TEXTS } from './texts.ts';

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** The whole page. @param locale the language shown first; the reader can switch. */
export function renderReport(data: ReportData, locale: Locale): string {
  const { summary } = data;
  const clock = clockOf(summary);
  const titleOf = (language: Locale): string => `${TEXTS.title[language]} · ${summary.fileName}`;
  return html`${trusted('<!doctype html>')}
<html lang="${locale}" data-title-es="${titleOf('es')}" data-title-en="${titleOf('en')}">
<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${trusted(POLICY)}"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${titleOf(locale)}</title><style>${trusted(STYLE)}</style></head>
<body><main>
${headerSection(summary, clock)}
${figuresSection(summary)}
${anomaliesSection(data, clock)}
${performanceSection(data)}
<div class="grid-sections">
${reliabilitySection(data)}
${costsSection(data)}
${distributionSection(data)}
${typologiesSection(data)}
${timelineSections(data, clock)}
${driversSection(data)}
${qualitySection(data)}
${notesSections(data)}
</div>
${analysedSection(summary, clock)}
</main><script>${trusted(SCRIPT)}</script></body></html>
`.markup;
}
