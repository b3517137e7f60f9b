// The command `worker` as an operator starts it, on a real Kafka: encrypted and with a password, with Avro and a schema
// registry, with Protobuf, and with its checkpoints in a bucket.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import avsc from 'avsc';
import protobuf from 'protobufjs';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { type RunningKafka, startKafka, TEST_USER } from '../../scripts/kafka/broker.ts';
import { type RunningS3, startS3 } from '../../scripts/s3/s3-proxy.ts';
import { schemaFile } from '../../src/adapters/kafka/formats/transaction-decoder.ts';
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { createS3ObjectStore } from '../../src/adapters/s3/s3-object-store.ts';
import { createTransaction, type Transaction } from '../../src/domain/transaction.ts';
import { topicNames, topicSettings } from '../../src/pipeline/stream/topics.ts';
import type { StreamLog } from '../../src/ports.ts';
import { makeCertificates } from './certificates.ts';
import { withOwnKafka } from './with-kafka.ts';

const ENTRY = new URL('../../src/main.ts', import.meta.url).pathname;
const WITHIN_MS = 60_000;
const START_MS = Date.UTC(2026, 2, 2, 15);
const SCHEMA_ID = 7;
const REGISTRY_USER = { user: 'lector', password: 'for-tests-only' };

describe.runIf(withOwnKafka)('the command worker on a real Kafka', () => {
  let folder: string;
  let kafka: RunningKafka;
  let authority: string;
  let log: StreamLog;
  const children = new Set<ChildProcess>();

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'centinela-worker-command-'));
    const { keyStore, keyStorePassword, authority: file } = makeCertificates(folder);
    authority = file;
    kafka = await startKafka({ sasl: true, tls: { keyStore, keyStorePassword } });
    log = openKafkaLog({ brokers: kafka.bootstrap.split(',') });
  }, 120_000);
  afterEach(async () => {
    for (const child of children) await ended(child, 'SIGKILL');
  });
  afterAll(async () => {
    await log?.close();
    await kafka?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  async function ended(child: ChildProcess, signal: NodeJS.Signals): Promise<number | null> {
    children.delete(child);
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await once(child, 'exit');
    }
    return child.exitCode;
  }

  /** @returns once it says that it is ready */
  async function startWorker(prefix: string, args: readonly string[], environment: Record<string, string> = {}) {
    const child = spawn(
      process.execPath,
      [
        ...[ENTRY, 'worker', '--topic-prefix', prefix, '--group', `${prefix}group`, '--stages', 'one'],
        ...['--checkpoint-seconds', '1', '--ops-port', '0', '--instance', 'one', ...args],
      ],
      { cwd: folder, stdio: ['ignore', 'ignore', 'pipe'], env: { ...process.env, ...environment } },
    );
    children.add(child);
    let told = '';
    child.stderr?.on('data', (more: Buffer) => {
      told += more.toString();
    });
    const port = await until(() => {
      if (child.exitCode !== null) throw new Error(`the worker ended with ${child.exitCode}: ${told}`);
      return /"port":(\d+)/.exec(told)?.[1] ?? null;
    });
    await until(async () => {
      const answer = await fetch(`http://127.0.0.1:${port}/readyz`).catch(() => null);
      return answer?.status === 200 ? true : null;
    });
    return { child, told: () => told };
  }

  async function makeTopics(prefix: string) {
    const topics = topicNames(prefix);
    await log.createTopics(topicSettings(topics, 1, 1));
    return topics;
  }

  const send = (topic: string, values: readonly Uint8Array[]) =>
    log.append(
      values.map((value) => ({ topic, partition: 0, key: null, value, headers: [], timestampMs: null }) as const),
    );

  async function decided(topic: string, wanted: number): Promise<string[]> {
    return until(async () => {
      const records = await log.read({ topic, partition: 0, offset: 0 }, 1000, 200);
      if (records.length < wanted) return null;
      return records.map(({ value }) => JSON.parse(new TextDecoder().decode(value!)).id as string);
    });
  }

  test('encrypted, with SCRAM, and zstd', { timeout: 120_000 }, async () => {
    const topics = await makeTopics('guarded.');
    const passwordFile = join(folder, 'password');
    writeFileSync(passwordFile, `${TEST_USER.password}\n`, { mode: 0o600 });
    const { child } = await startWorker('guarded.', [
      ...['--brokers', kafka.saslTlsBootstrap!, '--tls-ca', authority, '--sasl-mechanism', 'SCRAM-SHA-512'],
      ...['--sasl-username', TEST_USER.username, '--sasl-password-file', passwordFile, '--compression', 'zstd'],
    ]);
    const values = transactions(20).map((each) => new TextEncoder().encode(JSON.stringify(each)));
    await send(topics.transactions, values);
    expect(await decided(topics.decisions, 20)).toEqual(ids(20));
    expect(await ended(child, 'SIGTERM')).toBe(0);
  });

  test('Protobuf', { timeout: 120_000 }, async () => {
    const topics = await makeTopics('proto.');
    await startWorker('proto.', ['--brokers', kafka.bootstrap, '--format', 'protobuf']);
    const type = protobuf.parse(schemaFile('transaction.proto')).root.lookupType('centinela.Transaction');
    await send(
      topics.transactions,
      transactions(20).map((each) => type.encode(type.fromObject(withoutNulls(each))).finish()),
    );
    expect(await decided(topics.decisions, 20)).toEqual(ids(20));
  });

  describe('Avro, with a registry, and checkpoints in a bucket', () => {
    let registry: Server;
    let s3: RunningS3;
    const asked: (string | undefined)[] = [];

    beforeAll(async () => {
      const schema = schemaFile('transaction.avsc');
      registry = createServer(({ url, headers }, response) => {
        asked.push(headers.authorization);
        const isKnown = url?.startsWith(`/schemas/ids/${SCHEMA_ID}`) === true;
        response.writeHead(isKnown ? 200 : 404, { 'content-type': 'application/vnd.schemaregistry.v1+json' });
        response.end(JSON.stringify(isKnown ? { schema } : { error_code: 40403, message: 'Schema not found' }));
      });
      await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
      s3 = await startS3();
    }, 120_000);
    afterAll(async () => {
      await s3?.stop();
      await new Promise((resolve) => registry.close(resolve));
    });

    test('one that is killed goes on from its bucket, each transaction once', { timeout: 120_000 }, async () => {
      const topics = await makeTopics('avro.');
      const passwordFile = join(folder, 'registry-password');
      writeFileSync(passwordFile, REGISTRY_USER.password, { mode: 0o600 });
      const { port } = registry.address() as { port: number };
      const args = [
        ...['--brokers', kafka.bootstrap, '--format', 'avro', '--schema-registry', `http://127.0.0.1:${port}`],
        ...['--schema-registry-user', REGISTRY_USER.user, '--schema-registry-password-file', passwordFile],
        ...['--checkpoints', `s3://${s3.bucket}/state`],
      ];
      const environment = {
        AWS_ENDPOINT_URL_S3: s3.endpoint,
        AWS_ACCESS_KEY_ID: s3.accessKeyId,
        AWS_SECRET_ACCESS_KEY: s3.secretAccessKey,
      };
      const first = await startWorker('avro.', args, environment);
      const values = avroValues(transactions(40));
      await send(topics.transactions, values.slice(0, 25));
      expect(await decided(topics.decisions, 25)).toEqual(ids(25));
      const bucket = createS3ObjectStore({ ...s3, prefix: 'state', region: 'us-east-1', sessionToken: null });
      await until(async () => ((await bucket.list('')).some((key) => key.includes('/manifests/')) ? true : null));
      await ended(first.child, 'SIGKILL');
      await send(topics.transactions, values.slice(25));
      const second = await startWorker('avro.', args, environment);
      expect(await decided(topics.decisions, 40)).toEqual(ids(40));
      expect(await ended(second.child, 'SIGTERM')).toBe(0);
      expect(new Set(asked)).toEqual(new Set([`Basic ${btoa(Object.values(REGISTRY_USER).join(':'))}`]));
      expect(readFileSync(passwordFile, 'utf8')).not.toBe('');
      for (const { told } of [first, second]) expect(told()).not.toContain(REGISTRY_USER.password);
    });
  });
});

function transactions(count: number): Transaction[] {
  return ids(count).map((id, index) =>
    createTransaction({
      ...{ id, eventTimeMs: START_MS + index * 60_000, amountMinor: 1000 + index, currency: 'PEN' },
      ...{ payerId: `payer-${index % 3}`, payeeId: 'payee', operation: 'transfer', rail: 'cce-immediate' },
    }),
  );
}

function ids(count: number): string[] {
  return Array.from({ length: count }, (_, index) => `tx-${index}`);
}

function withoutNulls(transaction: Transaction): Record<string, unknown> {
  return Object.fromEntries(Object.entries(transaction).filter(([, value]) => value !== null));
}

/** In the wire format of Confluent's registry, written by a library that is not ours. */
function avroValues(of: readonly Transaction[]): Buffer[] {
  const type = avsc.Type.forSchema(JSON.parse(schemaFile('transaction.avsc')));
  const head = Buffer.alloc(5);
  head.writeInt32BE(SCHEMA_ID, 1);
  return of.map((transaction) => Buffer.concat([head, type.toBuffer(transaction)]));
}

async function until<Result>(look: () => Result | null | Promise<Result | null>): Promise<Result> {
  for (const endMs = Date.now() + WITHIN_MS; ; ) {
    const found = await look();
    if (found !== null) return found;
    if (Date.now() > endMs) throw new Error('it did not come about in time');
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
