// The frame of every page: one self-contained file in Spanish and English that makes no request.
import { type Html, html, trusted } from './html.ts';
import type { Bilingual, Locale } from './report-data.ts';
import { SCRIPT } from './script.ts';
import { STYLE } from './style.ts';

const POLICY = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:";

/** @param locale the language shown first; the reader can switch */
export function renderPage(title: Bilingual, body: Html, locale: Locale): string {
  return html`${trusted('<!doctype html>')}
<html lang="${locale}" data-title-es="${title.es}" data-title-en="${title.en}">
<head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${trusted(POLICY)}"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark"><title>${title[locale]}</title><style>${trusted(STYLE)}</style></head>
<body><main>
${body}
</main><script>${trusted(SCRIPT)}</script></body></html>
`.markup;
}

/** Shown by the page's script. */
export const LANGUAGE_BUTTONS = html`<div class="languages" role="group" aria-label="Idioma / Language" hidden><button type="button" data-language="es" lang="es-PE">Español</button><button type="button" data-language="en" lang="en-US">English</button></div>`;
