// Options of the commands that talk to Kafka. Secrets are read from files or from the environment of the process, never
// from the command line, where other users of the machine and the shell's history would see them.
import { readFileSync } from 'node:fs';
import type { SaslOptions, TlsFiles } from '../adapters/kafka/cluster.ts';
import { COMPRESSIONS, type Compression } from '../adapters/kafka/compressions.ts';
import type { KafkaLogOptions } from '../adapters/kafka/kafka-log.ts';
import { readVariable } from '../config/environment.ts';
import { InputError } from '../lib/errors.ts';
import type { StreamLog } from '../ports.ts';
import { type OptionSpec, type OptionValues, UsageError } from './command.ts';

const MECHANISMS = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER'] as const;

export const KAFKA_OPTIONS = {
  brokers: { type: 'text', value: 'HOST:PORT,…', help: 'some of the brokers; KAFKA_BROKERS when not given' },
  tls: { type: 'flag', help: 'encrypt; authorities of the system unless --tls-ca is given' },
  'tls-ca': { type: 'text', value: 'FILE', help: 'certificates of the authorities to trust, PEM' },
  'tls-cert': { type: 'text', value: 'FILE', help: 'own certificate, PEM, for mutual TLS' },
  'tls-key': { type: 'text', value: 'FILE', help: 'own key, PEM' },
  'sasl-mechanism': { type: 'text', help: 'how to prove who we are', choices: MECHANISMS },
  'sasl-username': { type: 'text', help: 'user; KAFKA_SASL_USERNAME when not given' },
  'sasl-password-file': {
    type: 'text',
    value: 'FILE',
    help: 'file with the password; KAFKA_SASL_PASSWORD when not given',
  },
  'sasl-token-file': {
    type: 'text',
    value: 'FILE',
    help: 'OAUTHBEARER: file with the token, read anew for each connection; KAFKA_SASL_TOKEN when not given',
  },
  compression: { type: 'text', help: 'of what is written', choices: COMPRESSIONS, default: 'lz4' },
} as const satisfies Record<string, OptionSpec>;

/** @throws UsageError, InputError for files that cannot be read */
function kafkaOptionsOf(options: OptionValues): KafkaLogOptions {
  const brokers = textOf(options, 'brokers') ?? readVariable('KAFKA_BROKERS');
  if (brokers === null) throw new UsageError('--brokers is missing: name some as host:port, or set KAFKA_BROKERS');
  return {
    brokers: brokers
      .split(',')
      .map((one) => one.trim())
      .filter((one) => one !== ''),
    tls: tlsOf(options),
    sasl: saslOf(options),
    compression: (options.compression ?? 'lz4') as Compression,
  };
}

/** @param more beside what the command line says @throws UsageError, InputError for files that cannot be read */
export async function kafkaLogOf(options: OptionValues, more: Partial<KafkaLogOptions> = {}): Promise<StreamLog> {
  const given = kafkaOptionsOf(options);
  // Its client is large, and most installations start with the embedded log.
  const { openKafkaLog } = await import('../adapters/kafka/kafka-log.ts');
  return openKafkaLog({ ...given, ...more });
}

function tlsOf(options: OptionValues): TlsFiles | null {
  const files = (['tls-ca', 'tls-cert', 'tls-key'] as const).map((name) => textOf(options, name));
  if (options.tls !== true && files.every((file) => file === null)) return null;
  const [authorities, certificate, key] = files.map((file) => (file === null ? null : read(file)));
  if ((certificate === null) !== (key === null)) throw new UsageError('--tls-cert and --tls-key go together');
  return { authorities, certificate, key };
}

function saslOf(options: OptionValues): SaslOptions | null {
  const mechanism = textOf(options, 'sasl-mechanism') as (typeof MECHANISMS)[number] | null;
  if (mechanism === null) return null;
  if (mechanism === 'OAUTHBEARER') {
    const file = textOf(options, 'sasl-token-file');
    const token = () => (file === null ? readVariable('KAFKA_SASL_TOKEN') : read(file).trim());
    if (token() === null) throw new UsageError('--sasl-token-file is missing: name it, or set KAFKA_SASL_TOKEN');
    return { mechanism, token: () => token() ?? '' };
  }
  const username = textOf(options, 'sasl-username') ?? readVariable('KAFKA_SASL_USERNAME');
  const file = textOf(options, 'sasl-password-file');
  const password = file === null ? readVariable('KAFKA_SASL_PASSWORD') : read(file).replace(/\r?\n$/, '');
  if (username === null || password === null) {
    throw new UsageError(
      `${mechanism} needs a user and a password: --sasl-username and --sasl-password-file, or KAFKA_SASL_USERNAME and KAFKA_SASL_PASSWORD`,
    );
  }
  return { mechanism, username, password };
}

function textOf(options: OptionValues, name: keyof typeof KAFKA_OPTIONS): string | null {
  const value = options[name];
  return typeof value === 'string' && value !== '' ? value : null;
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new InputError('FILE_UNREADABLE', `${file} cannot be read (${(error as Error).message})`, 'Check the path');
  }
}
