// The bucket adapter against a real store that checks signatures, and its ways with one that is in trouble.
import { createServer, type Server } from 'node:http';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type RunningS3, startS3, whyNoS3 } from '../../scripts/s3/s3-proxy.ts';
import { createS3ObjectStore, type S3Options } from '../../src/adapters/s3/s3-object-store.ts';
import { InputError, StoreUnavailableError } from '../../src/lib/errors.ts';
import { objectStoreChecks } from './object-store-checks.ts';

const asked = process.env.CENTINELA_LONG_TESTS === '1';
const why = asked ? whyNoS3() : null;
if (why !== null) process.stderr.write(`Tests on a real S3 store are skipped: ${why}\n`);

describe.runIf(asked && why === null)('a bucket', () => {
  let s3: RunningS3;
  let opened = 0;
  const options = (given: Partial<S3Options> = {}): S3Options => {
    const { endpoint, accessKeyId, secretAccessKey, bucket } = s3;
    // S3Proxy encodes the token of a next page twice where the prefix has a space.
    const prefix = `of-each/${opened++}`;
    return {
      endpoint,
      accessKeyId,
      secretAccessKey,
      bucket,
      prefix,
      region: 'us-east-1',
      sessionToken: null,
      ...given,
    };
  };
  beforeAll(async () => {
    s3 = await startS3();
  }, 120_000);
  afterAll(() => s3?.stop());

  objectStoreChecks(() => createS3ObjectStore(options()));

  test('is found to be there, and to honour conditions', async () => {
    const store = createS3ObjectStore(options());
    await store.probe();
    expect(await store.list('')).toEqual([]);
  });

  test('that is not there, or a wrong key, is told as such', async () => {
    const codeOf = (given: Partial<S3Options>) =>
      createS3ObjectStore(options(given))
        .put('x', Uint8Array.of(1))
        .catch((error: InputError) => error.code);
    expect(await codeOf({ bucket: 'no-such-bucket' })).toBe('S3_NO_BUCKET');
    expect(await codeOf({ secretAccessKey: 'wrong' })).toBe('S3_REFUSED');
    expect(await codeOf({ accessKeyId: 'nobody' })).toBe('S3_REFUSED');
  });
});

describe('a store in trouble', () => {
  let server: Server;
  let answers: (readonly [status: number, body: string])[] = [];
  let asked = 0;
  const store = (given: Partial<S3Options> = {}) =>
    createS3ObjectStore({
      ...{ bucket: 'b', prefix: '', region: 'us-east-1', accessKeyId: 'a', secretAccessKey: 's', sessionToken: null },
      ...{ endpoint: `http://127.0.0.1:${(server.address() as { port: number }).port}`, attempts: 3, firstRetryMs: 1 },
      ...given,
    });
  beforeAll(async () => {
    server = createServer((request, response) => {
      asked++;
      request.resume().once('end', () => {
        const [status, body] = answers.shift() ?? [200, ''];
        response.writeHead(status).end(body);
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => new Promise((resolve) => server.close(resolve)));

  test('is asked again while it is busy', async () => {
    answers = [
      [503, '<Error><Code>SlowDown</Code></Error>'],
      [500, ''],
      [200, ''],
    ];
    asked = 0;
    await store().put('x', Uint8Array.of(1));
    expect(asked).toBe(3);
  });

  test('that stays busy is told with what it last said', async () => {
    answers = Array.from({ length: 3 }, () => [503, '<Error><Code>SlowDown</Code></Error>'] as const);
    const failed = await store()
      .get('x')
      .catch((error) => error);
    expect(failed).toBeInstanceOf(StoreUnavailableError);
    expect(failed.message).toMatch(/does not take a GET: it answered 503 SlowDown/);
  });

  test('that does not listen is told, too', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as { port: number };
    await new Promise((resolve) => gone.close(resolve));
    const failed = await store({ endpoint: `http://127.0.0.1:${port}` })
      .list('')
      .catch((error) => error);
    expect(failed).toBeInstanceOf(StoreUnavailableError);
    expect(failed.message).toMatch(/ECONNREFUSED/);
  });

  test('that ignores conditions is not worked with, nor one that redirects', async () => {
    answers = [];
    await expect(store().putNew('x', Uint8Array.of(1))).rejects.toMatchObject({ code: 'S3_NOT_CONDITIONAL' });
    answers = [[301, '<Error><Code>PermanentRedirect</Code></Error>']];
    const failed = await store()
      .get('x')
      .catch((error) => error);
    expect(failed).toBeInstanceOf(InputError);
    expect(failed.message).toMatch(/not in us-east-1: set AWS_REGION/);
  });

  test('conflicts of two conditional writes are tried again', async () => {
    answers = [
      [200, ''],
      [412, ''],
      [204, ''],
      [409, '<Error><Code>ConditionalRequestConflict</Code></Error>'],
      [412, ''],
    ];
    expect(await store().putNew('x', Uint8Array.of(1))).toBe(false);
  });
});
