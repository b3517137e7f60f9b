// Entity codes of the CCI (its first three digits) as dated, editable data.
//
// The clearing house's list is not public. `certain` codes were seen in published CCIs or public code; the others come
// from general knowledge. So an unknown code is a warning and never makes a CCI invalid.

export interface Entity {
  /** 3 digits */
  readonly code: string;
  readonly name: string;
  /** Seen in a published source; false: general knowledge, to be verified. */
  readonly certain: boolean;
  /** First and last day of validity, yyyy-mm-dd, where known. */
  readonly validFrom: string | null;
  readonly validTo: string | null;
}

type Row = readonly [code: string, name: string, certain: boolean];

const ROWS: readonly Row[] = [
  ['002', 'Banco de Crédito del Perú (BCP)', true],
  ['003', 'Interbank', true],
  ['007', 'Citibank del Perú', false],
  ['009', 'Scotiabank Perú', true],
  ['011', 'BBVA Perú', true],
  ['018', 'Banco de la Nación', true],
  ['023', 'Banco de Comercio', false],
  ['035', 'Banco Pichincha', false],
  ['038', 'BanBif', true],
  ['043', 'CrediScotia Financiera', false],
  ['049', 'Mibanco', true],
  ['053', 'Banco GNB Perú', false],
  ['054', 'Banco Falabella Perú', false],
  ['055', 'Banco Ripley Perú', false],
  ['056', 'Banco Santander Perú', false],
  ['057', 'Alfin Banco', false],
  ['800', 'Caja Metropolitana de Lima', false],
  ['801', 'CMAC Piura', false],
  ['802', 'CMAC Trujillo', false],
  ['803', 'CMAC Arequipa', true],
  ['805', 'CMAC Sullana', false],
  ['806', 'CMAC Cusco', false],
  ['808', 'CMAC Huancayo', true],
  ['813', 'CMAC Tacna', false],
];

export const ENTITIES: readonly Entity[] = ROWS.map(([code, name, certain]) => ({
  code,
  name,
  certain,
  validFrom: null,
  validTo: null,
}));

const BY_CODE: ReadonlyMap<string, Entity> = new Map(ENTITIES.map((entity) => [entity.code, entity]));

/** The entity of a code or of a whole CCI, or null where the table does not know it. */
export function entityOf(codeOrCci: string): Entity | null {
  return BY_CODE.get(codeOrCci.slice(0, 3)) ?? null;
}
