// Signs that a text lost its encoding on the way: replacement characters, UTF-8 read as Latin-1 (mojibake), control
// characters, and Ñ turned into a question mark in a name.

const REPLACEMENT = 0xfffd;
const QUESTION_MARK = 63;
const A_TILDE = 0xc3;
const A_CIRCUMFLEX = 0xc2;

/** What bytes 0x80–0xBF look like when read as Windows-1252, beyond the code units 0x80–0xBF themselves. */
const WINDOWS_1252_REST: ReadonlySet<string> = new Set('€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ');

function isContinuation(text: string, index: number): boolean {
  const code = text.charCodeAt(index);
  return (code >= 0x80 && code <= 0xbf) || WINDOWS_1252_REST.has(text[index] ?? '');
}

function isLetter(code: number): boolean {
  return (code >= 65 && code <= 90) || (code >= 97 && code <= 122) || code >= 0xc0;
}

/** Control characters but tab, line feed and carriage return; C1 controls never occur in honest text. */
function isControl(code: number): boolean {
  return (code < 32 && code !== 9 && code !== 10 && code !== 13) || (code >= 0x7f && code <= 0x9f);
}

/**
 * True if a text shows one of the signs; null is not broken.
 * @param kind in a `name` a question mark between two letters counts too ("MU?OZ"); in a sentence it may be honest
 */
export function isBrokenText(text: string | null, kind: 'name' | 'sentence'): boolean {
  if (text === null) return false;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 63 && code < 0x7f) continue;
    if (code === REPLACEMENT || isControl(code)) return true;
    if ((code === A_TILDE || code === A_CIRCUMFLEX) && isContinuation(text, i + 1)) return true;
    if (code === QUESTION_MARK && kind === 'name' && isBetweenLetters(text, i)) return true;
  }
  return false;
}

function isBetweenLetters(text: string, index: number): boolean {
  return isLetter(text.charCodeAt(index - 1)) && isLetter(text.charCodeAt(index + 1));
}
