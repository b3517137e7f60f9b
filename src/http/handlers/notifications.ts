// What was told, who took charge, and what customers answer.
import type { Answer } from '../../notify/challenge.ts';
import type { ChallengeCreated } from '../../records/notifications/challenges.ts';
import { listNotifications } from '../../records/notifications/history.ts';
import type { Notifier } from '../../records/notifications/notifier.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { Handlers, RecordsTransaction } from '../asked.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import { readCursor, writeCursor } from '../cursor.ts';

export interface NotificationServices {
  readonly records: RecordStore;
  readonly notifier: Pick<Notifier, 'acknowledge'>;
  ask(tx: RecordsTransaction, alertId: string, atMs: number): Promise<ChallengeCreated>;
  answer(tx: RecordsTransaction, token: string, answer: Answer, atMs: number, address: string): Promise<boolean>;
}

export function notificationHandlers({
  records,
  notifier,
  ask,
  answer,
}: NotificationServices): Pick<Handlers, 'listNotifications' | 'acknowledge' | 'askCustomer' | 'answerChallenge'> {
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
    async answerChallenge({ body, nowMs, address }, tx) {
      const isWaited = await answer(tx, body.token, body.answer, nowMs, address);
      return { body: { kind: isWaited ? 'thanks' : 'not-waited-for' } };
    },
  };
}
