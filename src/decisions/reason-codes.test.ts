import { expect, test } from 'vitest';
import { REASON_CODES, reasonText } from './reason-codes.ts';

const REASONS = Object.values(REASON_CODES);

test('holds the codes that rules and reports rely on', () => {
  const suggested = [
    ...['MONTO_FUERA_DE_PERFIL', 'HORA_INUSUAL', 'CANAL_NUEVO', 'PAIS_NUEVO', 'COMERCIO_NUEVO', 'BENEFICIARIO_NUEVO'],
    ...['DISPOSITIVO_NUEVO', 'CAMBIO_SIM', 'FRECUENCIA_ALTA', 'DESPLAZAMIENTO_IMPOSIBLE', 'CERCA_DE_UMBRAL'],
    ...['FRACCIONAMIENTO', 'PASO_RAPIDO', 'ABANICO_ENTRADA', 'ABANICO_SALIDA', 'CICLO', 'CUENTA_NUEVA_O_DORMIDA'],
    ...['LEXICO_EXTORSION', 'PRUEBA_DE_TARJETAS', 'FALLBACK_BANDA', 'OPERACION_POST_BLOQUEO', 'DUPLICADO'],
    ...['POSIBLE_DESPLAZAMIENTO_DECIMAL', 'POSIBLE_ERROR_DE_MONEDA', 'CCI_INVALIDO', 'CCI_ENTIDAD_DESCONOCIDA'],
    ...['FECHA_INCONSISTENTE', 'SIGNO_INVERTIDO', 'LOTE_REPETIDO', 'CONTRAPARTE_AUSENTE', 'SALDO_DESCUADRADO'],
    ...['ITF_INCORRECTO', 'TITULAR_NO_COINCIDE'],
  ];
  expect(suggested.filter((code) => reasonText(code) === null)).toEqual([]);
});

test('no code is written twice', () => {
  expect(REASONS.every(({ code }) => REASON_CODES[code as keyof typeof REASON_CODES].code === code)).toBe(true);
  expect(new Set(REASONS.map(({ es }) => es)).size).toBe(REASONS.length);
});

test.each(REASONS.map((reason) => [reason.code, reason] as const))(
  '%s has all its texts and a known rule',
  (_, reason) => {
    expect(reason.code).toMatch(/^[A-Z]+(_[A-Z]+)*$/);
    for (const text of [reason.es, reason.en, reason.customerEs, reason.customerEn])
      expect(text.length).toBeGreaterThan(10);
    expect([reason.customerEs, reason.customerEn].every((text) => text.endsWith('.'))).toBe(true);
    expect(reason.regulation ?? 'R1').toMatch(/^R([1-9]|1[0-8])$/);
  },
);

test('a customer never reads of a suspicion, a rule or a threshold', () => {
  const forbidden =
    /sospech|fraud|mula|extorsi|lavado|umbral|fraccion|l[ií]mite|alert|suspici|mule|extort|launder|threshold|structur|rule/i;
  const naming = REASONS.filter(
    ({ customerEs, customerEn }) => forbidden.test(customerEs) || forbidden.test(customerEn),
  );
  expect(naming.map(({ code }) => code)).toEqual(['LIMITE_EXCEDIDO']);
});

test('an unknown code has no text', () => {
  expect([reasonText('NO_EXISTE'), reasonText('toString')]).toEqual([null, null]);
});
