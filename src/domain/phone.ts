// Mobile phones of Peru: nine digits starting with 9; the alias of a wallet (Yape, Plin).

const MOBILE = /^(?:\+?51)?(9\d{8})$/;
const SEPARATORS = /[\s()-]/g;

/** The mobile in E.164, "+519########", from any usual way of writing it; null if it is not one. */
export function parseMobile(text: string): string | null {
  const match = MOBILE.exec(text.replace(SEPARATORS, ''));
  return match ? `+51${match[1]}` : null;
}
