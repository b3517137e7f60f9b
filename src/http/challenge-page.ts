// The page that a customer opens from the link of "¿fuiste tú?": what was done, and two buttons.
//
// No script and nothing from elsewhere: it works on any phone, and an attacker's text could do nothing on it. Nothing of the
// customer is on it. A GET answers nothing, because programs that look into links would; the buttons send a form. Built for
// WCAG 2.2 AA: a heading, buttons of 48 px and more, contrasts over 4.5, a visible focus, text that grows with the reader's.
import { createHash } from 'node:crypto';
import type { Bilingual } from '../notify/notification.ts';
import type { ChallengeSeen } from '../records/notifications/challenges.ts';
import { type Html, html, trusted } from '../report/html.ts';

export type PageLanguage = keyof Bilingual;

const STYLE = `
:root { color-scheme: light dark; --ink: #14202b; --paper: #ffffff; --soft: #4a5763; --line: #8a96a1; --yes: #0b6b3a; --no: #a3170f; }
@media (prefers-color-scheme: dark) { :root { --ink: #eef2f5; --paper: #10171d; --soft: #b4c0ca; --line: #5d6b77; --yes: #0f7a44; --no: #c0271d; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 1.125rem/1.5 system-ui, sans-serif; }
main { max-width: 34rem; margin: 0 auto; padding: 1.5rem 1.25rem 2.5rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 1rem 0; }
nav { text-align: right; font-size: 1rem; }
nav a { color: inherit; display: inline-block; padding: .6rem 0; }
form { display: grid; gap: 1rem; margin: 1.75rem 0; }
button { min-height: 3.5rem; padding: .75rem 1rem; border: 2px solid transparent; border-radius: .6rem; font: inherit; font-weight: 600; color: #ffffff; cursor: pointer; }
button[value=yes] { background: var(--yes); }
button[value=no] { background: var(--no); }
button:focus-visible, a:focus-visible { outline: 3px solid var(--ink); outline-offset: 3px; }
.note { color: var(--soft); font-size: 1rem; border-top: 1px solid var(--line); padding-top: 1rem; }
`;

const STYLE_HASH = createHash('sha256').update(STYLE).digest('base64');

/** Over those of every answer. */
export const PAGE_HEADERS = {
  'content-security-policy': `default-src 'none'; style-src 'sha256-${STYLE_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'`,
};

const TEXTS = {
  title: { es: '¿Fue usted quien hizo esta operación?', en: 'Did you make this transaction?' },
  generic: { es: 'Queremos confirmar con usted una operación.', en: 'We want to confirm a transaction with you.' },
  yes: { es: 'Sí, fui yo', en: 'Yes, it was me' },
  no: { es: 'No fui yo', en: 'No, it was not me' },
  unsure: {
    es: 'Si no está seguro, cierre esta página y vuelva luego con el mismo enlace.',
    en: 'If you are not sure, close this page and come back later with the same link.',
  },
  safety: {
    es: 'Nunca le pediremos aquí claves, códigos ni datos de su tarjeta. Si tiene dudas, llame al número que está al reverso de su tarjeta.',
    en: 'We will never ask here for passwords, codes or card details. If in doubt, call the number on the back of your card.',
  },
  thanks: { es: 'Gracias, ya tenemos su respuesta', en: 'Thank you, we have your answer' },
  thanksYes: { es: 'Usted nos dijo que fue usted.', en: 'You told us that it was you.' },
  thanksNo: {
    es: 'Usted nos dijo que no fue usted. El banco ya lo sabe y lo revisará. Si todavía no habló con nosotros, llame al número que está al reverso de su tarjeta.',
    en: 'You told us that it was not you. The bank knows and will look into it. If you have not spoken with us yet, call the number on the back of your card.',
  },
  used: { es: 'Este enlace ya fue usado', en: 'This link has been used' },
  usedText: {
    es: 'Ya recibimos una respuesta, y cada enlace sirve una sola vez. Si no fue usted quien respondió, o quiere cambiarla, llame al número que está al reverso de su tarjeta.',
    en: 'We have received an answer, and each link works once. If it was not you who answered, or you want to change it, call the number on the back of your card.',
  },
  expired: { es: 'Este enlace venció', en: 'This link has expired' },
  expiredText: {
    es: 'Ya no esperamos una respuesta por aquí. Si no reconoce una operación, llame al número que está al reverso de su tarjeta.',
    en: 'We no longer wait for an answer here. If you do not recognise a transaction, call the number on the back of your card.',
  },
  unknown: { es: 'Este enlace no es válido', en: 'This link is not valid' },
  unknownText: {
    es: 'Revise que esté completo, tal como le llegó. No lo enviamos nosotros si le pide claves o códigos.',
    en: 'Check that it is complete, as you received it. It is not from us if it asks for passwords or codes.',
  },
} as const satisfies Readonly<Record<string, Bilingual>>;

/** @param isNew the answer has just been given */
export function challengePage(seen: ChallengeSeen, language: PageLanguage, isNew: boolean): string {
  const say = (text: keyof typeof TEXTS) => TEXTS[text][language];
  const { heading, content } = partsOf(seen, language, say, isNew);
  const other: PageLanguage = language === 'es' ? 'en' : 'es';
  const page = html`<!doctype html>
<html lang="${language}"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex"><title>${heading}</title><style>${trusted(STYLE)}</style></head>
<body><main><nav><a href="?lang=${other}" lang="${other}" hreflang="${other}">${other === 'en' ? 'English' : 'Español'}</a></nav>
<h1>${heading}</h1>${content}
<p class="note">${say('safety')}</p></main></body></html>`;
  return page.markup;
}

interface PageParts {
  readonly heading: string;
  readonly content: Html;
}

function partsOf(
  seen: ChallengeSeen,
  language: PageLanguage,
  say: (text: keyof typeof TEXTS) => string,
  isNew: boolean,
): PageParts {
  switch (seen.state) {
    case 'open':
      return {
        heading: seen.words?.title[language] ?? say('title'),
        content: question(seen.words?.text ?? null, language, say),
      };
    case 'answered': {
      if (!isNew) return { heading: say('used'), content: html`<p>${say('usedText')}</p>` };
      return { heading: say('thanks'), content: html`<p>${say(seen.answer === 'yes' ? 'thanksYes' : 'thanksNo')}</p>` };
    }
    default:
      return { heading: say(seen.state), content: html`<p>${say(`${seen.state}Text`)}</p>` };
  }
}

function question(text: Bilingual | null, language: PageLanguage, say: (text: keyof typeof TEXTS) => string): Html {
  return html`<p>${text?.[language] ?? say('generic')}</p>
<form method="post" action="?lang=${language}"><button name="answer" value="yes">${say('yes')}</button><button name="answer" value="no">${say('no')}</button></form>
<p>${say('unsure')}</p>`;
}
