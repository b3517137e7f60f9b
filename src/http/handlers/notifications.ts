// What was told, who took charge, and what customers answer.
import type { Static } from 'typebox';
import type { Answer } from '../../notify/challenge.ts';
import { SIGNATURE_HEADER, verifyWebhook } from '../../notify/webhook-signature.ts';
import {
  type ChallengeAnswered,
  type ChallengeCreated,
  type ChallengeSeen,
  seeChallenge,
} from '../../records/notifications/challenges.ts';
import { listNotifications } from '../../records/notifications/history.ts';
import type { Notifier } from '../../records/notifications/notifier.ts';
import { takeOnce } from '../../records/notifications/webhook-receipts.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { Handlers, RecordsTransaction } from '../asked.ts';
import { challengePage, PAGE_HEADERS, type PageLanguage } from '../challenge-page.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import { ReceivedAnswer } from '../contract/notifications.ts';
import { readCursor, writeCursor } from '../cursor.ts';
import { Problem } from '../problem.ts';
import { checkOf, parseJson } from '../validate.ts';

export interface NotificationServices {
  readonly records: RecordStore;
  readonly notifier: Pick<Notifier, 'acknowledge'>;
  ask(tx: RecordsTransaction, alertId: string, atMs: number): Promise<ChallengeCreated>;
  answer(
    tx: RecordsTransaction,
    by: { readonly token: string } | { readonly challengeId: string },
    answer: Answer,
    at: { readonly atMs: number; readonly address: string },
  ): Promise<ChallengeAnswered['kind']>;
  readonly inboundSecrets: readonly Uint8Array[];
}

type NotificationHandlers = Pick<
  Handlers,
  | ('listNotifications' | 'acknowledge' | 'askCustomer')
  | ('challengePage' | 'answerChallengePage' | 'answerChallenge' | 'receiveAnswer')
>;

const APP = 'bank-app';
const checkReceived = checkOf(ReceivedAnswer, 'body');

export function notificationHandlers({
  records,
  notifier,
  ask,
  answer,
  inboundSecrets,
}: NotificationServices): NotificationHandlers {
  return {
    async listNotifications({ query }) {
      const { limit = DEFAULT_PAGE, cursor } = query;
      const at = readCursor(cursor);
      const rows = await listNotifications(
        records.db,
        {},
        at === null ? null : { timeMs: at.ms, id: at.id },
        limit + 1,
      );
      const shown = rows.slice(0, limit).map(({ notification, ...row }) => {
        const { id, kind, severity, title, text, subject, atMs } = notification;
        const { silenceId: _, ...told } = row;
        return { id, kind, severity, title, text, subject, atMs, ...told };
      });
      const last = shown.at(-1);
      const next = rows.length > limit && last !== undefined ? writeCursor({ ms: last.atMs, id: last.id }) : null;
      return { body: { rows: shown, next } };
    },
    async acknowledge({ params, principal, address }, tx) {
      const { kind, id, name } = principal!;
      const who = { actor: { kind, id, name }, address };
      return { body: { acknowledged: await notifier.acknowledge(tx, { id: params.notificationId }, who) } };
    },
    async askCustomer({ params, nowMs }, tx) {
      const created = await ask(tx, params.alertId, nowMs);
      const told = { kind: created.kind, id: null, reason: null };
      return { body: created.kind === 'not-asked' ? { ...told, reason: created.reason } : { ...told, id: created.id } };
    },
    async challengePage({ params, query, nowMs, header }) {
      const seen = await seeChallenge(records.db, params.token, nowMs);
      return pageAnswer(seen, languageOf(query.lang, header('accept-language')));
    },
    async answerChallengePage({ params, query, body, nowMs, address, header }, tx) {
      const kind = await answer(tx, params, body.answer, { atMs: nowMs, address });
      const seen = await seeChallenge(tx, params.token, nowMs);
      return pageAnswer(seen, languageOf(query.lang, header('accept-language')), kind === 'answered');
    },
    async answerChallenge({ body, nowMs, address }, tx) {
      const { token, answer: said } = body;
      return { body: { kind: told(await answer(tx, { token }, said, { atMs: nowMs, address })) } };
    },
    async receiveAnswer({ body: bytes, nowMs, address, header }, tx) {
      const signed = verifyWebhook(header(SIGNATURE_HEADER.toLowerCase()), bytes, inboundSecrets, nowMs);
      if (!signed.isValid) {
        const what = `The signature does not count: ${signed.problem}. See docs/notifications.md`;
        throw new Problem(401, 'SIGNATURE_INVALID', what);
      }
      const { id, challengeId, answer: said } = checkReceived(parseJson(bytes)) as Static<typeof ReceivedAnswer>;
      if (!(await takeOnce(tx, APP, id, nowMs))) return { body: { kind: 'taken-before' } };
      const kind = await answer(tx, { challengeId }, said, { atMs: nowMs, address });
      return { body: { kind: told(kind) === 'thanks' ? 'taken' : 'not-waited-for' } };
    },
  };
}

function told(kind: ChallengeAnswered['kind']): 'thanks' | 'not-waited-for' {
  return kind === 'answered' || kind === 'later' ? 'thanks' : 'not-waited-for';
}

/** @param isNew the answer came with this request */
function pageAnswer(seen: ChallengeSeen, language: PageLanguage, isNew = false) {
  const status = seen.state === 'unknown' ? 404 : seen.state === 'open' || isNew ? 200 : 410;
  return { body: challengePage(seen, language, isNew), status, headers: PAGE_HEADERS };
}

function languageOf(asked: PageLanguage | undefined, accepted: string | null): PageLanguage {
  return asked ?? (accepted?.toLowerCase().startsWith('en') === true ? 'en' : 'es');
}
