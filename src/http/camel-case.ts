// Rows of the records as the interface tells them: `total_soles_minor` is `totalSolesMinor`. Names alone change; what is in a JSON
// column stays.

type Camel<Name extends string> = Name extends `${infer Head}_${infer Rest}`
  ? `${Head}${Capitalize<Camel<Rest>>}`
  : Name;

export type CamelRow<Row> = { readonly [Name in keyof Row as Name extends string ? Camel<Name> : never]: Row[Name] };

/** Names are few and the same for ever. */
const names = new Map<string, string>();
const MOST_NAMES = 1000;

export function camelRow<Row extends object>(row: Row): CamelRow<Row> {
  const told: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) told[camelName(name)] = value;
  return told as CamelRow<Row>;
}

function camelName(name: string): string {
  const known = names.get(name);
  if (known !== undefined) return known;
  const camel = name.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
  if (names.size < MOST_NAMES) names.set(name, camel);
  return camel;
}
