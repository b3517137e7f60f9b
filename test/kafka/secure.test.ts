// TLS and every SASL mechanism against a real Kafka, by the adapter and by the command line; certificates are made here.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningKafka, startKafka, TEST_USER } from '../../scripts/kafka/broker.ts';
import type { SaslOptions } from '../../src/adapters/kafka/cluster.ts';
import { type KafkaLogOptions, openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { runCommandLine } from '../../src/cli/run.ts';
import { InputError } from '../../src/lib/errors.ts';
import { STAGE_NAMES } from '../../src/pipeline/stream/stages/topology.ts';
import { TOPIC_ROLES } from '../../src/pipeline/stream/topics.ts';
import { recordOf, settingsOf } from '../streams/stream-log-checks.ts';
import { makeCertificates } from './certificates.ts';
import { withOwnKafka } from './with-kafka.ts';

const base64 = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
/** Kafka's unsecured tokens, for tests: a signed one is made and checked by the bank's own issuer. */
const token = () => {
  const nowSeconds = Date.now() / 1000;
  return `${base64({ alg: 'none' })}.${base64({ sub: 'centinela', iat: nowSeconds - 1, exp: nowSeconds + 600 })}.`;
};
const MECHANISMS: readonly SaslOptions[] = [
  { mechanism: 'PLAIN', ...TEST_USER },
  { mechanism: 'SCRAM-SHA-256', ...TEST_USER },
  { mechanism: 'SCRAM-SHA-512', ...TEST_USER },
  { mechanism: 'OAUTHBEARER', token },
];

describe.runIf(withOwnKafka)('a guarded Kafka', () => {
  let folder: string;
  let kafka: RunningKafka;
  let authorities: string;

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'centinela-certificates-'));
    const { keyStore, keyStorePassword, authority } = makeCertificates(folder);
    authorities = readFileSync(authority, 'utf8');
    kafka = await startKafka({ sasl: true, tls: { keyStore, keyStorePassword } });
  }, 120_000);
  afterAll(async () => {
    await kafka?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function roundTrip(topic: string, options: KafkaLogOptions) {
    const log = openKafkaLog({ retryForMs: 5000, ...options });
    try {
      await log.createTopics([settingsOf(topic, 1)]);
      const [at] = await log.append([recordOf(topic, 'hola')]);
      const [record] = await log.read(at!, 1, 2000);
      return Buffer.from(record!.value!).toString();
    } finally {
      await log.close();
    }
  }

  test('over TLS with an own authority', async () => {
    const tls = { authorities, certificate: null, key: null };
    expect(await roundTrip('over-tls', { brokers: [kafka.tlsBootstrap!], tls })).toBe('hola');
  });

  test('an authority that is not known is refused at once, in words', async () => {
    const tls = { authorities: null, certificate: null, key: null };
    await expect(roundTrip('no', { brokers: [kafka.tlsBootstrap!], tls })).rejects.toThrow(InputError);
  });

  test.each(MECHANISMS)('with SASL $mechanism', async (sasl) => {
    const topic = `by-${sasl.mechanism.toLowerCase()}`;
    expect(await roundTrip(topic, { brokers: [kafka.saslBootstrap!], sasl })).toBe('hola');
  });

  test('with SCRAM over TLS', async () => {
    const tls = { authorities, certificate: null, key: null };
    const sasl = MECHANISMS[2]!;
    expect(await roundTrip('both', { brokers: [kafka.saslTlsBootstrap!], tls, sasl })).toBe('hola');
  });

  test.each(['PLAIN', 'SCRAM-SHA-512'] as const)(
    'a wrong password is refused at once, in words (%s)',
    async (mechanism) => {
      const sasl = { mechanism, username: TEST_USER.username, password: 'wrong' };
      await expect(roundTrip('no', { brokers: [kafka.saslBootstrap!], sasl })).rejects.toThrow(InputError);
    },
  );

  test('centinela topics makes the topics and lists them, with the password in a file', async () => {
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, `${TEST_USER.password}\n`, { mode: 0o600 });
    const connect = [
      ...[
        '--brokers',
        kafka.saslTlsBootstrap!,
        '--tls-ca',
        join(folder, 'ca.pem'),
        '--sasl-mechanism',
        'SCRAM-SHA-256',
      ],
      ...['--sasl-username', TEST_USER.username, '--sasl-password-file', passwordFile],
    ];
    const run = async (...args: string[]) => {
      const texts: string[] = [];
      const lines: string[] = [];
      const context = {
        out: (more: string) => texts.push(more),
        log: (more: string) => lines.push(more),
        terminal: false,
        nowMs: Date.now,
      };
      const code = await runCommandLine(['topics', ...args, ...connect], context);
      return { code, text: texts.join(''), told: lines.join('') };
    };
    const made = await run('apply', '--topic-prefix', 'pe.', '--partitions', '3', '--json');
    expect(made).toMatchObject({ code: 0, told: '' });
    const { created } = JSON.parse(made.text);
    expect(created).toHaveLength(TOPIC_ROLES.length + STAGE_NAMES.length);
    expect(created).toContain('pe.left-out');
    expect(await run('apply', '--topic-prefix', 'pe.', '--partitions', '3')).toMatchObject({
      text: 'All topics are there.\n',
      told: '',
    });
    const differing = await run('apply', '--topic-prefix', 'pe.', '--partitions', '4');
    expect(differing.told).toContain('pe.labels has partitions 3, not 4; left as it is');
    const { text } = await run('list', '--topic-prefix', 'pe.', '--json');
    const topics = new Map(JSON.parse(text).topics.map((topic: { name: string }) => [topic.name, topic]));
    const one = { replicas: 1, compacted: false };
    expect(topics.get('pe.transactions')).toMatchObject({ ...one, partitions: 3, retentionMs: 38 * 86_400_000 });
    expect(topics.get('pe.labels')).toMatchObject({ ...one, partitions: 3, retentionMs: null });
    expect(topics.get('pe.control')).toMatchObject({ partitions: 1, compacted: false });
    expect((await run('list', '--topic-prefix', 'pe.')).text).toContain('what turned out to be fraud or not');
  });
});
