// The reasons why rows of a file are refused, in both languages.
import type { Bilingual } from './report-data.ts';

const TEXTS: Readonly<Record<string, Bilingual>> = {
  AMOUNT_INVALID: { es: 'monto ilegible', en: 'amount cannot be read' },
  TIME_INVALID: { es: 'fecha u hora ilegible', en: 'time cannot be read' },
  TIME_IN_FUTURE: { es: 'fecha en el futuro', en: 'time in the future' },
  ID_MISSING: { es: 'sin identificador', en: 'no id' },
  ID_INVALID: { es: 'identificador no válido', en: 'id not valid' },
  ID_DUPLICATE: { es: 'identificador repetido', en: 'repeated id' },
  CURRENCY_INVALID: { es: 'moneda desconocida', en: 'unknown currency' },
  FIELD_INVALID: { es: 'valor no permitido en un campo', en: 'value not allowed in a field' },
  LABEL_INVALID: { es: 'etiqueta ilegible', en: 'label cannot be read' },
  ENCODING_INVALID: { es: 'texto mal codificado', en: 'broken text encoding' },
  TOO_FEW_COLUMNS: { es: 'faltan columnas', en: 'too few columns' },
  TOO_MANY_COLUMNS: { es: 'sobran columnas', en: 'too many columns' },
  LINE_TOO_LONG: { es: 'línea demasiado larga', en: 'line too long' },
  QUOTE_INVALID: { es: 'comillas mal puestas', en: 'misplaced quote' },
  QUOTE_UNCLOSED: { es: 'comillas sin cerrar', en: 'unclosed quote' },
  JSON_INVALID: { es: 'JSON no válido', en: 'not valid JSON' },
};

/** The code itself where there is no text for it. */
export function rejectionText(code: string): Bilingual {
  return TEXTS[code] ?? { es: code, en: code };
}
