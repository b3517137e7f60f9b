// Questions to customers, kept: one open for a transaction, so many for a customer, each answered once.
import type { Kysely, Selectable } from 'kysely';
import { InputError } from '../../lib/errors.ts';
import {
  type Answer,
  type ChallengeDraft,
  type ChallengeKeys,
  type ChallengeOutcome,
  type ChallengeReason,
  type ChallengeSettings,
  challengeId,
  challengeReasonOf,
  challengeToken,
  challengeWords,
  isReliable,
  tokenHash,
  verdictOf,
} from '../../notify/challenge.ts';
import type { Bilingual, NotificationDraft } from '../../notify/notification.ts';
import type { Database } from '../database.ts';
import { enqueueNotifications } from './outbox.ts';

type Tx = Kysely<Database>;

export interface ChallengeRequest {
  readonly draft: ChallengeDraft;
  readonly settings: ChallengeSettings;
  readonly keys: ChallengeKeys;
  readonly randomBytes: Uint8Array;
  readonly atMs: number;
}

export type ChallengeCreated =
  | { readonly kind: 'created'; readonly id: string; readonly expiresMs: number }
  /** The customer is being asked, or was. */
  | { readonly kind: 'asked-already'; readonly id: string }
  /** No question may be asked about this, or the customer has been asked enough; `reason` is for the records, not for them. */
  | { readonly kind: 'not-asked'; readonly reason: 'confidential' | 'too-many' };

export type ChallengeAnswered =
  | { readonly kind: 'answered'; readonly outcome: ChallengeOutcome }
  | { readonly kind: 'later' }
  | { readonly kind: 'unknown' | 'expired' | 'answered-already' };

/** Where the link of a challenge leads; its token is put in when the message is sent. */
export const CHALLENGE_PATH = '/fuiste-tu/';
const EXPIRE_BATCH = 500;

/** Keeps the question and puts it in the outbox, in the caller's transaction. */
export async function createChallenge(tx: Tx, request: ChallengeRequest): Promise<ChallengeCreated> {
  const { draft, settings, keys, randomBytes, atMs } = request;
  const { transactionId, customerId } = draft;
  const reason = challengeReasonOf(draft);
  if (reason === null) return { kind: 'not-asked', reason: 'confidential' };
  const before = await tx
    .selectFrom('challenges')
    .select(['id', 'state', 'answer', 'expires_ms', 'version'])
    .where('transaction_id', '=', transactionId)
    .orderBy('created_ms', 'desc')
    .limit(1)
    .executeTakeFirst();
  if (before !== undefined && (before.answer !== null || (before.state === 'open' && before.expires_ms > atMs))) {
    return { kind: 'asked-already', id: before.id };
  }
  if (before?.state === 'open') await endOne(tx, before, { state: 'expired', answer: null }, atMs);
  const recent = await tx
    .selectFrom('challenges')
    .select('id')
    .where('customer_id', '=', customerId)
    .where('created_ms', '>', atMs - settings.perMs)
    .limit(settings.mostPerCustomer)
    .execute();
  if (recent.length >= settings.mostPerCustomer) return { kind: 'not-asked', reason: 'too-many' };

  const id = challengeId(keys, randomBytes);
  const expiresMs = atMs + settings.validMs;
  await tx
    .insertInto('challenges')
    .values({
      ...{
        id,
        token_hash: tokenHash(challengeToken(keys, id)!)!,
        transaction_id: transactionId,
        customer_id: customerId,
      },
      ...{ reason, state: 'open', answer: null, times_later: 0, created_ms: atMs, expires_ms: expiresMs },
      ...{ ended_ms: null, version: 1 },
    })
    .execute();
  await enqueueNotifications(tx, [notificationOf(id, reason, draft, atMs)]);
  return { kind: 'created', id, expiresMs };
}

/** What the page of a link shows; nothing of it is anybody's. */
export type ChallengeSeen =
  | { readonly state: 'open' | 'expired'; readonly words: ChallengeWords | null }
  | { readonly state: 'answered'; readonly answer: 'yes' | 'no'; readonly words: ChallengeWords | null }
  | { readonly state: 'unknown' };

export interface ChallengeWords {
  readonly title: Bilingual;
  readonly text: Bilingual;
}

/** @param token from the link, as it came */
export async function seeChallenge(db: Tx, token: string, nowMs: number): Promise<ChallengeSeen> {
  const found = await findByToken(db, token);
  if (found === undefined) return { state: 'unknown' };
  const told = await db
    .selectFrom('notifications')
    .select('body')
    .where('id', '=', notificationIdOf(found.id))
    .executeTakeFirst();
  const words = told === undefined ? null : { title: told.body.title, text: told.body.text };
  if (found.state === 'answered') return { state: 'answered', answer: found.answer!, words };
  return { state: found.state === 'expired' || found.expires_ms <= nowMs ? 'expired' : 'open', words };
}

/** @param token from the link, as it came */
export async function answerChallenge(
  tx: Tx,
  token: string,
  answer: Answer,
  settings: Pick<ChallengeSettings, 'mostLater'>,
  atMs: number,
): Promise<ChallengeAnswered> {
  return await answerFound(tx, await findByToken(tx, token), answer, settings, atMs);
}

/** The same by the question's id, which is no secret: for who has proved otherwise that the bank asks. */
export async function answerChallengeById(
  tx: Tx,
  id: string,
  answer: Answer,
  settings: Pick<ChallengeSettings, 'mostLater'>,
  atMs: number,
): Promise<ChallengeAnswered> {
  const found = await tx.selectFrom('challenges').selectAll().where('id', '=', id).executeTakeFirst();
  return await answerFound(tx, found, answer, settings, atMs);
}

type ChallengeRow = Selectable<Database['challenges']>;

async function findByToken(db: Tx, token: string): Promise<ChallengeRow | undefined> {
  const hash = tokenHash(token);
  if (hash === null) return undefined;
  return await db.selectFrom('challenges').selectAll().where('token_hash', '=', hash).executeTakeFirst();
}

async function answerFound(
  tx: Tx,
  found: ChallengeRow | undefined,
  answer: Answer,
  { mostLater }: Pick<ChallengeSettings, 'mostLater'>,
  atMs: number,
): Promise<ChallengeAnswered> {
  if (found === undefined) return { kind: 'unknown' };
  if (found.state === 'answered') return { kind: 'answered-already' };
  if (found.state === 'expired' || found.expires_ms <= atMs) return { kind: 'expired' };
  if (answer === 'later') {
    if (found.times_later < mostLater) {
      await tx
        .updateTable('challenges')
        .set({ times_later: found.times_later + 1, version: found.version + 1 })
        .where('id', '=', found.id)
        .where('version', '=', found.version)
        .execute();
    }
    return { kind: 'later' };
  }
  // Two answers at once: one of them finds another version.
  const isFirst = await endOne(tx, found, { state: 'answered', answer }, atMs);
  if (!isFirst) return { kind: 'answered-already' };
  return { kind: 'answered', outcome: outcomeOf(found, answer, atMs) };
}

/** Ends what nobody answered in time; its outcomes say `unknown`. */
export async function expireChallenges(tx: Tx, nowMs: number): Promise<readonly ChallengeOutcome[]> {
  const due = await tx
    .selectFrom('challenges')
    .selectAll()
    .where('state', '=', 'open')
    .where('expires_ms', '<=', nowMs)
    .orderBy('expires_ms')
    .orderBy('id')
    .limit(EXPIRE_BATCH)
    .execute();
  const ended: ChallengeOutcome[] = [];
  for (const challenge of due) {
    const isOurs = await endOne(tx, challenge, { state: 'expired', answer: null }, nowMs);
    if (isOurs) ended.push(outcomeOf(challenge, 'later', nowMs));
  }
  return ended;
}

async function endOne(
  tx: Tx,
  { id, version }: { readonly id: string; readonly version: number },
  end: { readonly state: 'answered' | 'expired'; readonly answer: 'yes' | 'no' | null },
  atMs: number,
): Promise<boolean> {
  const { numUpdatedRows } = await tx
    .updateTable('challenges')
    .set({ ...end, ended_ms: atMs, version: version + 1 })
    .where('id', '=', id)
    .where('version', '=', version)
    .where('state', '=', 'open')
    .executeTakeFirst();
  return Number(numUpdatedRows) > 0;
}

function outcomeOf(
  challenge: { id: string; transaction_id: string; customer_id: string; reason: ChallengeReason },
  answer: Answer,
  atMs: number,
): ChallengeOutcome {
  return {
    ...{ challengeId: challenge.id, transactionId: challenge.transaction_id, customerId: challenge.customer_id },
    ...{ verdict: verdictOf(answer), source: 'customer', isReliable: isReliable(challenge.reason, answer), atMs },
  };
}

const notificationIdOf = (challengeId: string): string => `challenge:${challengeId}`;

function notificationOf(id: string, reason: ChallengeReason, draft: ChallengeDraft, atMs: number): NotificationDraft {
  return {
    ...{ id: notificationIdOf(id), kind: 'challenge', severity: 'high', ...challengeWords(reason, draft), atMs },
    ...{ subject: { kind: 'challenge', id }, linkPath: `${CHALLENGE_PATH}{token}`, customerId: draft.customerId },
    code: `challenge-${reason}`,
  };
}

/** Links of messages: Centinela's address and the path; of a challenge with its token. */
export function linksOf(baseUrl: string | null, keys: ChallengeKeys) {
  return ({ linkPath, kind, subject }: Pick<NotificationDraft, 'linkPath' | 'kind' | 'subject'>): string | null => {
    if (baseUrl === null || linkPath == null) return null;
    const base = baseUrl.replace(/\/+$/, '');
    if (kind !== 'challenge' || subject == null) return base + linkPath;
    const token = challengeToken(keys, subject.id);
    return token === null ? null : base + linkPath.replace('{token}', token);
  };
}

/** @throws InputError where a challenge could never be sent: told when settings are read */
export function demandChallengeLink(baseUrl: string | null): void {
  if (baseUrl !== null) return;
  throw new InputError(
    'CHALLENGE_LINK_MISSING',
    'Customers are to be asked, and there is no address that their link could begin with',
    'Set baseUrl in the settings of notifications',
  );
}
