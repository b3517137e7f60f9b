// How the transactions on a stream are written: options of the commands that read them.
import { readFileSync } from 'node:fs';
import { decodeJsonTransaction } from '../adapters/formats/transaction-value.ts';
import { createSchemaRegistry, type SchemaRegistry } from '../adapters/kafka/formats/schema-registry.ts';
import {
  createTransactionDecoder,
  VALUE_FORMATS,
  type ValueFormat,
} from '../adapters/kafka/formats/transaction-decoder.ts';
import { readVariable } from '../config/environment.ts';
import { InputError } from '../lib/errors.ts';
import type { RecordDecoders } from '../pipeline/stream/partition-fold.ts';
import { type OptionSpec, type OptionValues, UsageError } from './command.ts';

export const FORMAT_OPTIONS = {
  format: { type: 'text', help: 'how transactions are written', choices: VALUE_FORMATS, default: 'json' },
  'schema-registry': {
    type: 'text',
    value: 'URL',
    help: 'values name their schema there (Confluent wire format); without, they are of the schemas in config/schemas',
  },
  'schema-registry-user': { type: 'text', help: 'user of the registry; SCHEMA_REGISTRY_USER when not given' },
  'schema-registry-password-file': {
    type: 'text',
    value: 'FILE',
    help: 'file with the password; SCHEMA_REGISTRY_PASSWORD when not given',
  },
  'schema-registry-token-file': {
    type: 'text',
    value: 'FILE',
    help: 'file with a bearer token instead; SCHEMA_REGISTRY_TOKEN when not given',
  },
} as const satisfies Record<string, OptionSpec>;

const REGISTRY_TIMEOUT_MS = 5000;

/** @throws UsageError, InputError for files that cannot be read */
export function transactionDecoders(options: OptionValues): Pick<RecordDecoders, 'prepare' | 'transaction'> {
  const format = options.format as ValueFormat;
  const registry = registryOf(options);
  if (format === 'json' && registry === null) return { transaction: decodeJsonTransaction };
  const { prepare, decode } = createTransactionDecoder(format, registry);
  return { prepare, transaction: decode };
}

function registryOf(options: OptionValues): SchemaRegistry | null {
  const url = textOf(options, 'schema-registry');
  if (url === null) return null;
  if (!/^https?:\/\//.test(url) || !URL.canParse(url)) {
    throw new UsageError(`--schema-registry: '${url}' is no address: give one that begins with https:// or http://`);
  }
  return createSchemaRegistry(
    { url, authorization: authorizationOf(options), timeoutMs: REGISTRY_TIMEOUT_MS },
    Date.now,
  );
}

/** The whole header; null where nothing was given. */
function authorizationOf(options: OptionValues): string | null {
  const token = secretOf(options, 'schema-registry-token-file', 'SCHEMA_REGISTRY_TOKEN');
  const user = textOf(options, 'schema-registry-user') ?? readVariable('SCHEMA_REGISTRY_USER');
  const password = secretOf(options, 'schema-registry-password-file', 'SCHEMA_REGISTRY_PASSWORD');
  if (token !== null) return `Bearer ${token}`;
  if (user === null && password === null) return null;
  if (user === null || password === null) {
    throw new UsageError(
      'the schema registry needs a user and a password: --schema-registry-user and --schema-registry-password-file',
    );
  }
  return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
}

function secretOf(options: OptionValues, name: keyof typeof FORMAT_OPTIONS, variable: string): string | null {
  const file = textOf(options, name);
  if (file === null) return readVariable(variable);
  try {
    return readFileSync(file, 'utf8').replace(/\r?\n$/, '');
  } catch (error) {
    throw new InputError('FILE_UNREADABLE', `${file} cannot be read (${(error as Error).message})`, 'Check the path');
  }
}

function textOf(options: OptionValues, name: keyof typeof FORMAT_OPTIONS): string | null {
  const value = options[name];
  return typeof value === 'string' && value !== '' ? value : null;
}
