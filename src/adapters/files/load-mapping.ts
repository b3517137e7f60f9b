// Reads a mapping from YAML and checks it: every error says where it is, what is wrong and what is allowed.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { isMap, isScalar, LineCounter, type Node, type Pair, parseDocument, type YAMLMap } from 'yaml';
import { TransactionSchema } from '../../domain/transaction.ts';
import { InputError } from '../../lib/errors.ts';
import { converterFor, Refusal } from './convert-value.ts';
import {
  DEFAULT_CURRENCY,
  DEFAULT_MISSING,
  DEFAULT_TIME_ZONE,
  type FieldMapping,
  type FieldName,
  type MappingFile,
  USUAL_LABEL_DELAY_DAYS,
} from './mapping-file.ts';
import { TIME_FORMATS, type TimeFormat } from './parse-time.ts';
import { AMOUNT_FIELDS, TIME_FIELDS } from './read-plan.ts';
import { openTimeZone } from './time-zone.ts';

/** Mappings that come with the package; the folder is the same for sources and for the build. */
const BUILT_IN_FOLDER = fileURLToPath(new URL('../../../config/mappings/', import.meta.url));

const FIELDS: readonly string[] = Object.keys(TransactionSchema.properties);
const TOP_KEYS = [
  'name',
  'description',
  'timeZone',
  'currency',
  'decimalMark',
  'delimiter',
  'encoding',
  'labelDelayDays',
  'catalogue',
  'missing',
  'trim',
  'fields',
  'constants',
];
const FIELD_KEYS = ['column', 'timeColumn', 'format', 'unit', 'values', 'token', 'optional'];

export function builtInNames(): string[] {
  return readdirSync(BUILT_IN_FOLDER)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length))
    .sort();
}

/** @param nameOrPath a built-in name or the path of a YAML file */
export function loadMapping(nameOrPath: string): MappingFile {
  const builtIn = /^[a-z0-9-]+$/.test(nameOrPath) ? join(BUILT_IN_FOLDER, `${nameOrPath}.yaml`) : null;
  const path = builtIn !== null && existsSync(builtIn) ? builtIn : nameOrPath;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch {
    throw new InputError(
      'MAPPING_MISSING',
      `There is no mapping '${nameOrPath}'`,
      `Give the path of a YAML file, or one of ${builtInNames().join(', ')}`,
    );
  }
  return parseMapping(text, path === builtIn ? nameOrPath : path);
}

/** @param name how errors call the file */
export function parseMapping(text: string, name: string): MappingFile {
  return new MappingParser(text, name).parse();
}

class MappingParser {
  readonly #name: string;
  readonly #lines = new LineCounter();
  readonly #text: string;

  constructor(text: string, name: string) {
    this.#text = text;
    this.#name = name;
  }

  parse(): MappingFile {
    const document = parseDocument(this.#text, { lineCounter: this.#lines, prettyErrors: false });
    const [error] = document.errors;
    if (error !== undefined) this.#fail(error.pos[0], error.message.split('\n')[0], 'Correct the YAML');
    const root = document.contents;
    if (!isMap(root)) return this.#fail(0, 'it must be a map of settings', `Allowed keys: ${TOP_KEYS.join(', ')}`);
    this.#checkKeys(root, TOP_KEYS, '');
    const text = (key: string) => this.#text_(root, key);
    const timeZone = text('timeZone') ?? DEFAULT_TIME_ZONE;
    openTimeZone(timeZone);
    const missing = root.get('missing', true);
    const fields = this.#fields(root);
    return {
      name: text('name') ?? this.#name,
      timeZone,
      currency: this.#currency(root),
      decimalMark: this.#choice(root, 'decimalMark', ['.', ',']),
      delimiter: this.#delimiter(root),
      encoding: this.#choice(root, 'encoding', ['utf-8', 'latin1']) ?? 'utf-8',
      labelDelayDays: this.#days(root, fields),
      catalogue: text('catalogue'),
      missing: missing === undefined ? DEFAULT_MISSING : new Set(this.#list(missing as Node, 'missing')),
      trim: this.#flag(root, 'trim') ?? true,
      fields,
      constants: this.#constants(root),
    };
  }

  #fail(offset: number, problem: string, hint: string): never {
    const { line, col } = this.#lines.linePos(offset);
    throw new InputError('MAPPING_INVALID', `${this.#name}:${line}:${col}: ${problem}`, hint);
  }

  #checkKeys(map: YAMLMap, allowed: readonly string[], where: string): void {
    for (const pair of map.items) {
      const key = keyOf(pair);
      if (!allowed.includes(key)) {
        this.#fail(
          offsetOf(pair.key),
          `'${key}' is not a key ${where === '' ? 'of a mapping' : `of ${where}`}`,
          `Allowed: ${allowed.join(', ')}`,
        );
      }
    }
  }

  #text_(map: YAMLMap, key: string): string | null {
    const node = map.get(key, true);
    if (node === undefined || node === null) return null;
    if (!isScalar(node) || node.value === null || typeof node.value === 'object') {
      return this.#fail(offsetOf(node), `${key} must be a text`, `Write ${key}: TEXT`);
    }
    return String(node.value);
  }

  #choice<T extends string>(map: YAMLMap, key: string, allowed: readonly T[]): T | null {
    const text = this.#text_(map, key);
    if (text === null || allowed.includes(text as T)) return text as T | null;
    return this.#fail(
      offsetOf(map.get(key, true)),
      `${key} is '${text}'`,
      `Allowed: ${allowed.map((value) => `'${value}'`).join(', ')}`,
    );
  }

  #flag(map: YAMLMap, key: string): boolean | null {
    const text = this.#choice(map, key, ['true', 'false']);
    return text === null ? null : text === 'true';
  }

  #delimiter(map: YAMLMap): string | null {
    const text = this.#text_(map, 'delimiter');
    if (text === null || (text.length === 1 && text.charCodeAt(0) < 128 && !'"\r\n'.includes(text))) return text;
    return this.#fail(
      offsetOf(map.get('delimiter', true)),
      'delimiter must be one character',
      String.raw`Write ',' ';' '|' or "\t"`,
    );
  }

  #currency(map: YAMLMap): string {
    const text = this.#text_(map, 'currency') ?? DEFAULT_CURRENCY;
    if (/^[A-Z]{3}$/.test(text)) return text;
    return this.#fail(
      offsetOf(map.get('currency', true)),
      `currency is '${text}'`,
      'Write an ISO 4217 code such as PEN or USD',
    );
  }

  /** A file that tells when each label became known means what it says. */
  #days(map: YAMLMap, fields: MappingFile['fields']): number | null {
    const text = this.#text_(map, 'labelDelayDays');
    if (text === null) return fields.has('labelTimeMs') ? null : USUAL_LABEL_DELAY_DAYS;
    const days = Number(text);
    if (days >= 0 && days <= 3650) return days;
    return this.#fail(
      offsetOf(map.get('labelDelayDays', true)),
      `labelDelayDays is '${text}'`,
      'Write a number of days from 0 to 3650',
    );
  }

  #list(node: Node, key: string): string[] {
    const value = (node as { toJSON(): unknown }).toJSON();
    if (!Array.isArray(value))
      this.#fail(offsetOf(node), `${key} must be a list of texts`, `Write ${key}: ['-', 'NULL']`);
    return (value as unknown[]).map(String);
  }

  #fields(root: YAMLMap): Map<FieldName, FieldMapping> {
    const node = root.get('fields', true);
    if (!isMap(node))
      return this.#fail(
        offsetOf(node),
        'fields is missing',
        "Write 'fields:' and below it one line 'field: COLUMN' for each",
      );
    this.#checkKeys(node, FIELDS, 'fields');
    const fields = new Map<FieldName, FieldMapping>();
    for (const pair of node.items) fields.set(keyOf(pair) as FieldName, this.#field(keyOf(pair) as FieldName, pair));
    return fields;
  }

  #field(field: FieldName, pair: Pair): FieldMapping {
    const node = pair.value as Node | null;
    if (isScalar(node) && node.value !== null) return { column: String(node.value) };
    if (!isMap(node)) return this.#fail(offsetOf(pair.key), `${field} names no column`, `Write ${field}: COLUMN`);
    this.#checkKeys(node, FIELD_KEYS, field);
    const column = this.#text_(node, 'column');
    if (column === null)
      return this.#fail(offsetOf(node), `${field} names no column`, `Write ${field}: { column: COLUMN }`);
    const timeColumn = this.#text_(node, 'timeColumn');
    const format = this.#choice<TimeFormat>(node, 'format', TIME_FORMATS);
    const unit = this.#choice(node, 'unit', ['major', 'minor']);
    if ((format !== null || timeColumn !== null) && !TIME_FIELDS.has(field)) {
      this.#fail(
        offsetOf(node),
        `${field} is not a time: it takes no format and no timeColumn`,
        `Times are ${[...TIME_FIELDS].join(', ')}`,
      );
    }
    if (unit !== null && !AMOUNT_FIELDS.has(field)) {
      this.#fail(
        offsetOf(node),
        `${field} is not an amount: it takes no unit`,
        `Amounts are ${[...AMOUNT_FIELDS].join(', ')}`,
      );
    }
    const values = this.#values(field, node);
    return {
      column,
      ...(timeColumn !== null && { timeColumn }),
      ...(format !== null && { format }),
      ...(unit !== null && { unit }),
      ...(values !== null && { values }),
      token: this.#flag(node, 'token') ?? false,
      optional: this.#flag(node, 'optional') ?? false,
    };
  }

  #values(field: FieldName, map: YAMLMap): Map<string, string | null> | null {
    const node = map.get('values', true);
    if (node === undefined) return null;
    if (!isMap(node))
      return this.#fail(
        offsetOf(node),
        `values of ${field} must be a map`,
        "Write values: { 'text of the file': value }",
      );
    const values = new Map<string, string | null>();
    for (const pair of node.items) {
      const value = isScalar(pair.value) ? pair.value.value : null;
      const text = value === null ? null : String(value);
      if (text !== null) this.#checkValue(field, text, pair.value);
      values.set(keyOf(pair), text);
    }
    return values;
  }

  #constants(root: YAMLMap): Map<FieldName, string> {
    const node = root.get('constants', true);
    const constants = new Map<FieldName, string>();
    if (node === undefined) return constants;
    if (!isMap(node))
      return this.#fail(offsetOf(node), 'constants must be a map', 'Write constants: { operation: purchase }');
    const allowed = FIELDS.filter(
      (field) => field !== 'id' && !TIME_FIELDS.has(field as FieldName) && !NUMERIC.has(field),
    );
    this.#checkKeys(node, allowed, 'constants');
    for (const pair of node.items) {
      const field = keyOf(pair) as FieldName;
      const text = this.#text_(node, field) ?? '';
      this.#checkValue(field, text, pair.value);
      constants.set(field, text);
    }
    return constants;
  }

  #checkValue(field: FieldName, text: string, node: unknown): void {
    const value = converterFor(field, { column: '' })(text);
    if (value instanceof Refusal) this.#fail(offsetOf(node), `'${text}' cannot be ${field}`, value.message);
  }
}

const NUMERIC: ReadonlySet<string> = new Set(['amountMinor', 'balanceAfterMinor', 'latitude', 'longitude', 'currency']);

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : String(pair.key);
}

function offsetOf(node: unknown): number {
  return (node as Node | null | undefined)?.range?.[0] ?? 0;
}
