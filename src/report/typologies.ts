// What the codes of the typologies mean (F: fraud, E: operational error; docs/domain.md §4).
import type { Bilingual } from './report-data.ts';

const NAMES: Readonly<Record<string, Bilingual>> = {
  F01: { es: 'Comprobante falso', en: 'Fake payment voucher' },
  F02: { es: 'Duplicado de chip (SIM swap)', en: 'SIM swap' },
  F03: { es: 'Toma de cuenta por phishing', en: 'Account takeover by phishing' },
  F04: { es: 'Celular robado', en: 'Stolen phone' },
  F05: { es: 'Clonación de tarjeta', en: 'Card cloning' },
  F06: { es: 'Prueba de tarjetas (ataque de BIN)', en: 'Card testing (BIN attack)' },
  F07: { es: 'Compra no presencial con tarjeta robada', en: 'Card-not-present fraud' },
  F08: { es: 'Cuenta mula', en: 'Mule account' },
  F09: { es: 'Fraccionamiento (pitufeo)', en: 'Structuring' },
  F10: { es: 'Cambistas como estratificación', en: 'Currency exchange as layering' },
  F11: { es: 'Fondos de economías ilegales', en: 'Proceeds of illegal economies' },
  F12: { es: 'Extorsión, cupos', en: 'Extortion payments' },
  F13: { es: 'Estafa autorizada por la víctima', en: 'Authorised push payment scam' },
  F14: { es: 'Suplantación de identidad', en: 'Identity theft' },
  F15: { es: 'Colusión de comercio o agente', en: 'Merchant or agent collusion' },
  F16: { es: 'Marcaje con ayuda interna', en: 'Robbery with inside help' },
  F17: { es: 'Fraude de planilla', en: 'Payroll fraud' },
  F18: { es: 'Fraude interno', en: 'Internal fraud' },
  F19: { es: 'Cambio fraudulento de cuenta del proveedor', en: 'Supplier account change (BEC)' },
  F20: { es: 'Contracargo abusivo', en: 'First-party chargeback abuse' },
  E01: { es: 'Cargo o abono duplicado', en: 'Duplicate posting' },
  E02: { es: 'Punto decimal desplazado', en: 'Decimal shift' },
  E03: { es: 'Soles por dólares', en: 'Soles and dollars mixed up' },
  E04: { es: 'CCI equivocado', en: 'Wrong CCI' },
  E05: { es: 'Fecha u hora inconsistente', en: 'Inconsistent date or time' },
  E06: { es: 'Signo invertido', en: 'Reversed sign' },
  E07: { es: 'Lote repetido', en: 'Batch replay' },
  E08: { es: 'Contraparte ausente', en: 'Missing counterparty' },
  E09: { es: 'Texto truncado o mal codificado', en: 'Truncated or badly encoded text' },
  E10: { es: 'Datos faltantes o tardíos', en: 'Missing or late feed' },
  E11: { es: 'Asiento sin contrapartida', en: 'Orphan leg' },
  E12: { es: 'Fecha contable equivocada', en: 'Wrong posting date' },
  E13: { es: 'Comisión o ITF mal calculado', en: 'Wrong fee or ITF' },
  E14: { es: 'Límite mal cargado', en: 'Limit table misload' },
  E15: { es: 'Datos de prueba en producción', en: 'Test data in production' },
};

/** The name of a typology code; a code that is not in the table is its own name. */
export function typologyName(code: string): Bilingual {
  return Object.hasOwn(NAMES, code) ? NAMES[code] : { es: code, en: code };
}
