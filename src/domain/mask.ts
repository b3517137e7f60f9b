// What may be shown of an identifier in a report, a log or a screen. A text that is not what it should be is hidden
// whole: a mask never lets through what it does not understand.
import { isDigits } from './digits.ts';
import { findPans, isValidPan } from './pan.ts';
import { parseMobile } from './phone.ts';

const STAR = '*';

function hidden(text: string): string {
  return STAR.repeat(Math.min(text.length, 12));
}

/** "411111******1111": first 6 and last 4 (PCI DSS 4.0.1, 3.4.1). */
export function maskPan(text: string): string {
  const digits = text.replace(/[ -]/g, '');
  if (!isValidPan(digits)) return hidden(text);
  return digits.slice(0, 6) + STAR.repeat(digits.length - 10) + digits.slice(-4);
}

/** Masks every card number found in a free text; the rest stays. */
export function maskPansIn(text: string): string {
  let result = '';
  let from = 0;
  for (const span of findPans(text)) {
    result += text.slice(from, span.start) + maskPan(span.digits);
    from = span.end;
  }
  return from === 0 ? text : result + text.slice(from);
}

/** "002-193-********5056-**": entity, office and the last 4 of the account. */
export function maskCci(text: string): string {
  const digits = text.replace(/[\s-]/g, '');
  if (!isDigits(digits, 20)) return hidden(text);
  return `${digits.slice(0, 3)}-${digits.slice(3, 6)}-${STAR.repeat(8)}${digits.slice(14, 18)}-**`;
}

/** "****5678": the last 4 of the eight; a verification character is dropped. */
export function maskDni(text: string): string {
  const digits = text.slice(0, 8);
  return isDigits(digits, 8) ? `****${digits.slice(4)}` : hidden(text);
}

/** "20*****3797" for a legal entity; "10****7410*" for a person, whose DNI is inside and masked like a DNI. */
export function maskRuc(text: string): string {
  if (!isDigits(text, 11)) return hidden(text);
  if (text.startsWith('10')) return `10****${text.slice(6, 10)}*`;
  return `${text.slice(0, 2)}*****${text.slice(7)}`;
}

/** A document of any kind by its length: DNI, RUC, or the last 3 of a foreign one. */
export function maskDocument(text: string): string {
  if (isDigits(text, 11)) return maskRuc(text);
  if (isDigits(text.slice(0, 8), 8) && text.length !== 9) return maskDni(text);
  return text.length >= 7 ? STAR.repeat(text.length - 3) + text.slice(-3) : hidden(text);
}

/** "9** *** 123". */
export function maskPhone(text: string): string {
  const mobile = parseMobile(text);
  return mobile ? `9** *** ${mobile.slice(-3)}` : hidden(text);
}

/** "M**** E**** Q*****": the initial of each word. */
export function maskName(text: string): string {
  return text
    .trim()
    .split(/\s+/)
    .map((word) => {
      const [initial = '', ...rest] = word;
      return initial + STAR.repeat(rest.length);
    })
    .join(' ');
}

/** "190.43.*.*" (IPv4, first 16 bits) or "2800:200:e840:*" (IPv6, first 48 bits). */
export function maskIp(text: string): string {
  const v4 = /^(\d{1,3}\.\d{1,3})\.\d{1,3}\.\d{1,3}$/.exec(text);
  if (v4) return `${v4[1]}.*.*`;
  const v6 = /^([0-9a-f]{1,4}:[0-9a-f]{1,4}:[0-9a-f]{1,4}):[0-9a-f:.]+$/i.exec(text);
  return v6 ? `${v6[1]}:*` : hidden(text);
}

const CCI = /(?<!\d)\d{3}[ -]?\d{3}[ -]?\d{12}[ -]?\d{2}(?!\d)/g;
const MOBILE = /(?<![\d\w-])(?:\+?51[ -]?)?9\d{2}[ -]?\d{3}[ -]?\d{3}(?![\d\w-])/g;
const DOCUMENT = /\b(DNI|RUC|documento|document|pasaporte|passport|CE)([\s:.°º#-]{1,4}|\s*n[.°º]+\s*)(\d{8,11})\b/gi;
const MAIL = /[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63})+/g;

/** Masks what is recognisably somebody's in a free text: cards, CCIs, mobiles, addresses of mail, documents beside their word. */
export function maskNumbersIn(text: string): string {
  return maskPansIn(text.replace(CCI, (found) => maskCci(found)))
    .replace(MAIL, '***@***')
    .replace(DOCUMENT, (_, kind: string, between: string, digits: string) => {
      return `${kind}${between}${'*'.repeat(digits.length - 3)}${digits.slice(-3)}`;
    })
    .replace(MOBILE, (found) => `9** *** ${found.replace(/\D/g, '').slice(-3)}`);
}
