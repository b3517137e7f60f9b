// From the reasons and rules of an alert to the kind of fraud or error that is looked for (F01–F20, E01–E15; docs/domain.md §4).
//
// A rule says itself what it is meant for; where none does, the reasons vote with their shares in the risk. A reason that fits
// several kinds gives its share to the likeliest one: the table is a starting point for the analyst, who may change it.

export const FAMILIES = ['takeover', 'card', 'laundering', 'extortion', 'scam', 'internal', 'error', 'other'] as const;
/** What one person looks for together: a case is about one family. */
export type Family = (typeof FAMILIES)[number];

export const OTHER_TYPOLOGY = 'other';

/** F16 is robbery with inside help: the trace in the data is the employee's. */
const FAMILY_OF: Readonly<Record<string, Family>> = {
  ...{ F01: 'scam', F02: 'takeover', F03: 'takeover', F04: 'takeover', F05: 'card', F06: 'card', F07: 'card' },
  ...{ F08: 'laundering', F09: 'laundering', F10: 'laundering', F11: 'laundering', F12: 'extortion', F13: 'scam' },
  ...{ F14: 'takeover', F15: 'internal', F16: 'internal', F17: 'internal', F18: 'internal', F19: 'scam', F20: 'card' },
  ...Object.fromEntries(
    Array.from({ length: 15 }, (_, at) => [`E${String(at + 1).padStart(2, '0')}`, 'error' as const]),
  ),
};

/** Reason code → typology. A reason of plain unusualness (amount, hour, place) names none. */
export const TYPOLOGY_OF_REASON: Readonly<Record<string, string>> = {
  CAMBIO_SIM: 'F02',
  CAMBIO_DE_CREDENCIALES: 'F03',
  DISPOSITIVO_NUEVO: 'F03',
  SIN_SEGUNDO_FACTOR: 'F03',
  OPERACION_POST_BLOQUEO: 'F04',
  FALLBACK_BANDA: 'F05',
  DESPLAZAMIENTO_IMPOSIBLE: 'F05',
  PRUEBA_DE_TARJETAS: 'F06',
  RECHAZOS_PREVIOS: 'F06',
  COMERCIO_NUEVO: 'F07',
  PASO_RAPIDO: 'F08',
  ABANICO_ENTRADA: 'F08',
  ABANICO_SALIDA: 'F08',
  CICLO: 'F08',
  FRACCIONAMIENTO: 'F09',
  CERCA_DE_UMBRAL: 'F09',
  LEXICO_EXTORSION: 'F12',
  MONTO_REPETIDO: 'F12',
  BENEFICIARIO_NUEVO: 'F13',
  CUENTA_NUEVA_O_DORMIDA: 'F13',
  RIESGO_DEL_TERMINAL: 'F15',
  MONTO_REDONDO: 'F15',
  TITULAR_NO_COINCIDE: 'F19',
  DUPLICADO: 'E01',
  POSIBLE_DESPLAZAMIENTO_DECIMAL: 'E02',
  POSIBLE_ERROR_DE_MONEDA: 'E03',
  CCI_INVALIDO: 'E04',
  CCI_ENTIDAD_DESCONOCIDA: 'E04',
  FECHA_INCONSISTENTE: 'E05',
  SIGNO_INVERTIDO: 'E06',
  LOTE_REPETIDO: 'E07',
  CONTRAPARTE_AUSENTE: 'E08',
  RUC_INVALIDO: 'E09',
  DNI_INVALIDO: 'E09',
  CODIFICACION_ROTA: 'E09',
  SALDO_DESCUADRADO: 'E11',
  ITF_INCORRECTO: 'E13',
  LIMITE_EXCEDIDO: 'E14',
  DATOS_DE_PRUEBA: 'E15',
};

/**
 * @param reasons with their shares in the risk
 * @param rules `id@version` of those that had a say, severest first
 * @param typologiesOfRule what the rule book says that a rule is meant for; empty for a rule that is not known
 */
export function typologyOf(
  reasons: readonly { readonly code: string; readonly weight: number }[],
  rules: readonly string[],
  typologiesOfRule: (ruleId: string) => readonly string[] = () => [],
): string {
  const votes = new Map<string, number>();
  for (const { code, weight } of reasons) {
    const typology = Object.hasOwn(TYPOLOGY_OF_REASON, code) ? TYPOLOGY_OF_REASON[code] : null;
    if (typology !== null) votes.set(typology, (votes.get(typology) ?? 0) + weight);
  }
  const heaviest = [...votes].sort(([a, weightA], [b, weightB]) => weightB - weightA || (a < b ? -1 : 1))[0]?.[0];
  const [first] = rules.map((rule) => typologiesOfRule(rule.split('@')[0])).filter((named) => named.length > 0);
  if (first !== undefined) return heaviest !== undefined && first.includes(heaviest) ? heaviest : first[0];
  return heaviest ?? OTHER_TYPOLOGY;
}

export function familyOf(typology: string): Family {
  return Object.hasOwn(FAMILY_OF, typology) ? FAMILY_OF[typology] : 'other';
}

export function isTypology(code: string): boolean {
  return code === OTHER_TYPOLOGY || Object.hasOwn(FAMILY_OF, code);
}
