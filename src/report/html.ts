// HTML by tagged template: every value is escaped unless it is markup made here, so no text of a file can become code.
import type { Bilingual } from './report-data.ts';

/** Markup that is already safe. */
export interface Html {
  readonly markup: string;
}

export type HtmlValue = Html | string | number | null | readonly HtmlValue[];

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};

/** Controls that HTML forbids and lone surrogates, which have no place in a page. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: these are the characters to remove
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\ufffe\uffff]|\p{Surrogate}/gu;

export function escapeHtml(text: string): string {
  return text.replace(FORBIDDEN, '\ufffd').replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

export function html(parts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  let markup = parts[0];
  for (let i = 0; i < values.length; i++) markup += markupOf(values[i]) + parts[i + 1];
  return { markup };
}

/** Trusted markup: constants of this program only, never a value that came from a file. */
export function trusted(markup: string): Html {
  return { markup };
}

export const NOTHING: Html = { markup: '' };

/** Keeps an amount and its currency, or a number and its percent sign, on one line. */
function unbroken(text: string): string {
  return text.replace(/(S\/|US\$|€|£) (?=\d)/g, '$1\u00a0').replace(/(\d) %/g, '$1\u00a0%');
}

/** Both languages; the page shows one of them. */
export function both(text: Bilingual): Html {
  if (text.es === text.en) return html`${unbroken(text.es)}`;
  return html`<span lang="es">${unbroken(text.es)}</span><span lang="en">${unbroken(text.en)}</span>`;
}

function markupOf(value: HtmlValue): string {
  if (value === null) return '';
  if (typeof value === 'string') return escapeHtml(value);
  if (typeof value === 'number') return escapeHtml(String(value));
  if (isList(value)) return value.map(markupOf).join('');
  return value.markup;
}

function isList(value: HtmlValue): value is readonly HtmlValue[] {
  return Array.isArray(value);
}
