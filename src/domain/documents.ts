// Which identity document a text is, by its shape alone, and whether it can be right.
import { isPlaceholderDni, parseDni } from './dni.ts';
import { isValidRuc } from './ruc.ts';

/** `foreign`: carné de extranjería, passport or PTP, which have no public check digit. */
export type DocumentKind = 'dni' | 'ruc' | 'foreign' | 'unknown';

const DNI_SHAPE = /^\d{8}(?:-?[A-Ka-k]|-\d)?$/;
const LOST_ZEROS = /^\d{5,7}$/;
const RUC_SHAPE = /^\d{11}$/;
const FOREIGN_SHAPE = /^[0-9A-Za-z]{4,12}$/;

/** 5–7 digits count as a DNI that lost its leading zeros in a spreadsheet; 9 digits as a carné de extranjería. */
export function documentKind(text: string): DocumentKind {
  if (DNI_SHAPE.test(text) || LOST_ZEROS.test(text)) return 'dni';
  if (RUC_SHAPE.test(text)) return 'ruc';
  return FOREIGN_SHAPE.test(text) ? 'foreign' : 'unknown';
}

/** True if a text has the shape of a carné de extranjería or passport: 4–12 letters or digits. */
export function isForeignDocumentShape(text: string): boolean {
  return FOREIGN_SHAPE.test(text);
}

/** True if the document is right as far as its text can tell; a placeholder DNI is not. */
export function isPlausibleDocument(text: string): boolean {
  switch (documentKind(text)) {
    case 'dni': {
      const dni = parseDni(text);
      return dni !== null && !isPlaceholderDni(dni);
    }
    case 'ruc':
      return isValidRuc(text);
    case 'foreign':
      return true;
    case 'unknown':
      return false;
  }
}
