// A change: one transaction of the records, with what it writes into the audit, and done once under an idempotency key.
//
// The key, who used it, a hash of the request and the answer are written in the same transaction as the change itself, so
// that there is never one without the other. The same key with another request is refused; while the first is under way the
// second waits for it in the database, and is then answered like the first.
import { createHash } from 'node:crypto';
import type { AuditEntryDraft } from '../audit/entry.ts';
import type { RecordStore } from '../records/record-store.ts';
import type { ChangeRunner } from './app.ts';
import type { Answer, Asked, Changer, Handlers, RecordsTransaction } from './asked.ts';
import { ENDPOINTS, type EndpointName, type EndpointSpec } from './contract.ts';
import { Problem } from './problem.ts';

export interface ChangeServices {
  readonly records: RecordStore;
  /** Before anything else in the transaction: whoever audits waits in line instead of being tried again. */
  begin(tx: RecordsTransaction): Promise<void>;
  record(tx: RecordsTransaction, drafts: readonly AuditEntryDraft[]): Promise<unknown>;
}

const KEEP_KEYS_MS = 24 * 3_600_000;
const KEY = /^[\x21-\x7e]{8,200}$/;

export function createChangeRunner({ records, begin, record }: ChangeServices): ChangeRunner {
  return async (name, handler, asked) => {
    const spec: EndpointSpec = ENDPOINTS[name];
    if (spec.versioned === true && asked.ifMatch === null) {
      throw new Problem(
        428,
        'IF_MATCH_MISSING',
        "Send If-Match with the ETag that you saw, so that nobody else's change is lost",
      );
    }
    const use = keyOf(name, asked);
    const known = use !== null && typeof handler === 'object' ? await answeredBefore(records.db, use) : null;
    if (known !== null) return known;
    const change = await changerOf(handler, asked, use);
    const answer = await records.transact(async (tx) => {
      await begin(tx);
      const before = use === null ? null : await answeredBefore(tx, use);
      if (before !== null) return before;
      const answer = await change(asked, tx, async (drafts) => {
        await record(tx, drafts);
      });
      if (use !== null) await remember(tx, use, answer as Answer<unknown>, asked.nowMs);
      return answer as Answer<unknown>;
    });
    await answer.committed?.();
    return answer;
  };
}

/** What is changed elsewhere is changed here, before the transaction. */
async function changerOf(
  handler: Handlers[EndpointName],
  asked: Asked,
  use: KeyUse | null,
): Promise<Changer<EndpointSpec>> {
  if (typeof handler === 'function') return handler as unknown as Changer<EndpointSpec>;
  const request = use === null ? [asked.requestId] : [use.id, use.requestHash];
  return (await handler.make(asked as never, hashOf(request))) as unknown as Changer<EndpointSpec>;
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

interface KeyUse {
  /** Of the key and who used it: keys of different callers do not meet. */
  readonly id: string;
  /** Of the request: a key is for one. */
  readonly requestHash: string;
}

/** null where no key was given. */
function keyOf(name: EndpointName, { header, principal, params, query, body, ifMatch }: Asked): KeyUse | null {
  const key = header('idempotency-key');
  if (key === null) return null;
  if (!KEY.test(key)) {
    throw new Problem(
      400,
      'IDEMPOTENCY_KEY',
      'Idempotency-Key must be 8 to 200 visible ASCII characters. A UUID will do',
    );
  }
  const content = body instanceof Uint8Array ? createHash('sha256').update(body).digest('hex') : body;
  return { id: hashOf([principal?.id ?? null, key]), requestHash: hashOf([name, params, query, content, ifMatch]) };
}

async function answeredBefore(tx: RecordsTransaction, { id, requestHash }: KeyUse): Promise<Answer<unknown> | null> {
  const row = await tx
    .selectFrom('idempotency_keys')
    .select(['request_hash', 'status', 'version', 'body'])
    .where('id', '=', id)
    .executeTakeFirst();
  if (row === undefined) return null;
  if (row.request_hash !== requestHash) {
    throw new Problem(422, 'IDEMPOTENCY_KEY_USED', 'This Idempotency-Key was used for another request. Take a new one');
  }
  return {
    body: row.body === null ? null : JSON.parse(row.body),
    headers: { 'idempotent-replay': 'true' },
    ...(row.status !== null && { status: row.status }),
    ...(row.version !== null && { version: row.version }),
  };
}

async function remember(
  tx: RecordsTransaction,
  { id, requestHash }: KeyUse,
  answer: Answer<unknown>,
  nowMs: number,
): Promise<void> {
  const { body, status = null, version = null } = answer;
  await tx
    .insertInto('idempotency_keys')
    .values({
      ...{ id, request_hash: requestHash, status, version, expires_ms: nowMs + KEEP_KEYS_MS },
      body: body === null || body === undefined ? null : JSON.stringify(body),
    })
    .execute();
}

/** Keys that nobody can rely on any more; a few at a time. */
export async function forgetExpiredKeys(records: RecordStore, nowMs: number): Promise<void> {
  await records.transact(async (tx) => {
    await tx.deleteFrom('idempotency_keys').where('expires_ms', '<', nowMs).execute();
  });
}
