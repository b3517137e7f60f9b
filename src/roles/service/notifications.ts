// What the service tells: alerts to whoever should look, questions to customers; and the channels it tells them through.
import { randomBytes } from 'node:crypto';
import type { Asked, RecordsTransaction } from '../../http/asked.ts';
import { SYSTEM } from '../../identity/principal.ts';
import { type Answer, type ChallengeKeys, type ChallengeSettings, DEFAULT_CHALLENGES } from '../../notify/challenge.ts';
import type { NotificationDraft } from '../../notify/notification.ts';
import type { NotificationSettings } from '../../notify/settings.ts';
import { demandSecrets } from '../../notify/webhook-signature.ts';
import { endedBefore } from '../../privacy/retention.ts';
import { addChallengeAnswer } from '../../records/alerts/labels.ts';
import { getAlert, openAlertIds } from '../../records/alerts/list-alerts.ts';
import type { TakenIn } from '../../records/alerts/take-alerts.ts';
import {
  answerChallenge,
  answerChallengeById,
  type ChallengeAnswered,
  type ChallengeCreated,
  createChallenge,
  demandChallengeLink,
  expireChallenges,
  linksOf,
} from '../../records/notifications/challenges.ts';
import { forgetNotifications } from '../../records/notifications/history.ts';
import { createNotifier, type Notifier } from '../../records/notifications/notifier.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { readRetentionMonths } from '../../records/settings/retention-settings.ts';
import type { Logger } from '../../telemetry/logger.ts';
import { every } from './every.ts';
import { openChannels } from './open-channels.ts';
import { newId, type Vault } from './vault.ts';

export interface NotificationPlace {
  readonly settings: NotificationSettings;
  /** The text of a secret by its name. @throws InputError */
  readonly secret: (name: string) => string;
}

export interface RunningNotifications {
  readonly notifier: Notifier;
  /** Of alerts that were opened. */
  tell(tx: RecordsTransaction, opened: TakenIn['opened']): Promise<void>;
  /** Somebody looks after an alert, or a case and its alerts: nobody is told further of them. */
  taken(tx: RecordsTransaction, what: Taken, asked: Taker): Promise<void>;
  ask(tx: RecordsTransaction, alertId: string, atMs: number): Promise<ChallengeCreated>;
  /** The label, too, in the same transaction. */
  answer(tx: RecordsTransaction, by: AnsweredBy, answer: Answer, at: AnsweredAt): Promise<ChallengeAnswered['kind']>;
  /** What the bank's app signs with; none: nothing of it is believed. */
  readonly inboundSecrets: readonly Uint8Array[];
  close(): Promise<void>;
}

export type AnsweredBy = { readonly token: string } | { readonly challengeId: string };

export interface AnsweredAt {
  readonly atMs: number;
  readonly address: string;
}

/** The first names it in the vault, the second in the ids of questions. */
/** Of a case: before its alerts are decided. */
export type Taken = { readonly alertId: string } | { readonly caseId: string };
export type Taker = Pick<Asked, 'principal' | 'address'>;

const MOST_ALERTS = 1000;
const CHALLENGE_SECRET = 'challenge-key-1';
const CHALLENGE_KEY_NAME = 'k1';
const SWEEP_MS = 60_000;
const FORGET_AT_ONCE = 500;

export async function startNotifications(
  records: RecordStore,
  vault: Pick<Vault, 'record' | 'trail' | 'secret'>,
  { settings, secret }: NotificationPlace,
  logger: Logger,
): Promise<RunningNotifications> {
  const onTrouble = ({ message }: Error) => logger.warn({ message }, 'notifications will be tried again');
  const keys: ChallengeKeys = [{ name: CHALLENGE_KEY_NAME, key: await vault.secret(CHALLENGE_SECRET) }];
  const challenges: ChallengeSettings = DEFAULT_CHALLENGES;
  const inboundSecrets = (settings.inbound?.secrets ?? []).map((name) => new TextEncoder().encode(secret(name)));
  if (settings.inbound !== undefined) demandSecrets(inboundSecrets);
  const notifier = createNotifier({
    ...{ store: records, nowMs: Date.now, settings, record: vault.record, onTrouble },
    channels: openChannels(settings, secret, null),
    linkOf: linksOf(settings.baseUrl, keys),
  });
  notifier.start();
  const sweep = async () => {
    const nowMs = Date.now();
    const { settings: months } = await readRetentionMonths(records.db);
    await records.transact(async (tx) => {
      await expireChallenges(tx, nowMs);
      await forgetNotifications(tx, endedBefore('notifications', nowMs, months), nowMs, FORGET_AT_ONCE);
    });
  };
  const stopSweeping = every(SWEEP_MS, sweep, onTrouble);
  return {
    notifier,
    async tell(tx, opened) {
      if (settings.routes.length > 0) await notifier.notify(tx, ...opened.map(draftOf));
    },
    async taken(tx, what, { principal, address }) {
      const ids = 'alertId' in what ? [what.alertId] : await openAlertIds(tx, what.caseId, MOST_ALERTS);
      const { kind, id, name } = principal!;
      await notifier.acknowledge(tx, { subjects: { kind: 'alert', ids } }, { actor: { kind, id, name }, address });
    },
    async ask(tx, alertId, atMs) {
      demandChallengeLink(settings.baseUrl);
      const { alert } = await getAlert(tx, alertId);
      const draft = {
        ...{ transactionId: alert.id, customerId: alert.customer_id ?? alert.id, amountMinor: alert.amount_minor },
        ...{ currency: alert.currency, eventTimeMs: alert.event_ms, typology: alert.typology },
        reasonCodes: alert.reasons.map(({ code }) => code),
      };
      return await createChallenge(tx, { draft, settings: challenges, keys, randomBytes: randomBytes(16), atMs });
    },
    inboundSecrets,
    async answer(tx, by, answer, { atMs, address }) {
      const answered =
        'token' in by
          ? await answerChallenge(tx, by.token, answer, challenges, atMs)
          : await answerChallengeById(tx, by.challengeId, answer, challenges, atMs);
      if (answered.kind !== 'answered') return answered.kind;
      const { verdict, transactionId, isReliable } = answered.outcome;
      // Who took the account over may be who says yes: then it is no label.
      if (verdict === 'unknown' || (verdict === 'genuine' && !isReliable)) return answered.kind;
      const { kind, id, name } = SYSTEM;
      const act = { by: { kind, id, name }, permissions: new Set<string>(), atMs, address, newId: () => newId(atMs) };
      const said = verdict === 'genuine' ? 'it-was-me' : 'it-was-not-me';
      const { audit } = await addChallengeAnswer(tx, transactionId, said, act);
      await vault.trail.append(tx, audit);
      return answered.kind;
    },
    async close() {
      stopSweeping();
      await notifier.stop();
    },
  };
}

/** No names, documents or accounts: who may see them has the alert. */
function draftOf({ alert }: TakenIn['opened'][number]): NotificationDraft {
  const { id, severity, typology, customerId, caseId, queue } = alert;
  return {
    ...{ id: `alert:${id}`, kind: 'alert', severity, typology, customerId, caseId, queue, atMs: alert.createdMs },
    title: { es: `Alerta ${typology} (${id})`, en: `Alert ${typology} (${id})` },
    text: {
      es: `Hay una alerta por revisar en el caso ${caseId}.`,
      en: `There is an alert to look at in case ${caseId}.`,
    },
    ...{ subject: { kind: 'alert', id }, linkPath: `/alertas/${encodeURIComponent(id)}` },
  };
}
