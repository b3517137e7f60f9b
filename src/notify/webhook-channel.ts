// Messages to other systems of the bank: signed JSON to an address of theirs.
//
// The body is made once for each attempt, and its `id` is the same at each: whoever has it answers 2xx and does nothing more.
// Bodies have at most 64 KiB; a summary of very many tells as many as fit, and `total` says how many there are.
import type { DeliveryOutcome } from '../ports.ts';
import type { Channel, Message } from './message.ts';
import { demandSecrets, MOST_BODY_BYTES, SIGNATURE_HEADER, signWebhook } from './webhook-signature.ts';

/** How the bytes get there; what becomes of it is told, never thrown. */
export type SendSigned = (request: {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
  readonly timeoutMs: number;
}) => Promise<DeliveryOutcome>;

export interface WebhookOptions {
  readonly url: string;
  /** One, or two while they are changed, newest first. */
  readonly secrets: readonly Uint8Array[];
  readonly timeoutMs: number;
  readonly send: SendSigned;
}

const DELIVERY_HEADER = 'Centinela-Delivery';
/** Of what the body is; a change that old receivers cannot read has another. */
const BODY_VERSION = 1;

/** @throws InputError where a secret is too short to keep anybody out */
export function openWebhookChannel({ url, secrets, timeoutMs, send }: WebhookOptions): Channel {
  demandSecrets(secrets);
  return {
    deliver(message, nowMs) {
      const body = webhookBody(message);
      const headers = {
        'content-type': 'application/json',
        [DELIVERY_HEADER]: message.id,
        [SIGNATURE_HEADER]: signWebhook(body, secrets, nowMs),
      };
      return send({ url, headers, body, timeoutMs });
    },
    async close() {},
  };
}

/** UTF-8 JSON of at most `MOST_BODY_BYTES`. */
export function webhookBody({ id, language, severity, title, text, link, items, total }: Message): Uint8Array {
  const head = { version: BODY_VERSION, id, language, severity, title, text, link, total };
  const encoder = new TextEncoder();
  for (let told = items.length; ; told = Math.floor(told / 2)) {
    const body = encoder.encode(JSON.stringify({ ...head, notifications: items.slice(0, told) }));
    if (body.length <= MOST_BODY_BYTES || told === 0) return body;
  }
}
