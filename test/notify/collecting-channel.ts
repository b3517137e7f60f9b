// A channel that keeps what it is given and answers as it is told.
import type { Channel, Message } from '../../src/notify/message.ts';
import type { DeliveryOutcome } from '../../src/ports.ts';

export interface CollectingChannel extends Channel {
  readonly messages: Message[];
  outcome: (message: Message) => DeliveryOutcome | Promise<DeliveryOutcome>;
  isClosed: boolean;
}

export function collectingChannel(): CollectingChannel {
  const channel: CollectingChannel = {
    ...{ messages: [], isClosed: false, outcome: () => ({ kind: 'delivered' }) },
    async deliver(message) {
      channel.messages.push(message);
      return channel.outcome(message);
    },
    async close() {
      channel.isClosed = true;
    },
  };
  return channel;
}
