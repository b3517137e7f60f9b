// report.html: one self-contained page in Spanish and English that makes no request.
import { clockOf } from './clock.ts';
import { html } from './html.ts';
import { renderPage } from './page.ts';
import type { Locale, ReportData } from './report-data.ts';
import { anomaliesSection } from './sections/anomalies-section.ts';
import { groupsSection } from './sections/groups-section.ts';
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
import { TEXTS } from './texts.ts';

/** The whole page. @param locale the language shown first; the reader can switch. */
export function renderReport(data: ReportData, locale: Locale): string {
  const { summary } = data;
  const clock = clockOf(summary);
  const titleOf = (language: Locale): string => `${TEXTS.title[language]} · ${summary.fileName}`;
  const body = html`${headerSection(summary, clock)}
${figuresSection(summary)}
${groupsSection(data, clock)}
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
${analysedSection(summary, clock)}`;
  return renderPage({ es: titleOf('es'), en: titleOf('en') }, body, locale);
}
