// Text without case and accents, for comparing what people write.

/** Lower case, accents taken off; ñ stays a letter of its own. */
export function plainText(text: string): string {
  return text
    .toLowerCase()
    .normalize('NFD')
    .replace(/(?<!n)\u0303|[\u0300-\u0302\u0304-\u036f]/g, '')
    .normalize('NFC');
}
