import { expect, it } from 'vitest';
import { FencedError } from '../../lib/errors.ts';
import { type ConsumerParts, KafkaConsumer } from './kafka-consumer.ts';

const AT = { topic: 't', partition: 0 };

/** A group that gives one partition, at offset 0. */
function partsWith(given: Partial<Record<'membership' | 'producer', object>>): ConsumerParts {
  const partitions = [{ partitionIndex: 0, committedOffset: 0n, errorCode: 0 }];
  return {
    cluster: {
      features: async () => ({ consumerProtocol: true }),
      retrying: async (_: string, work: () => unknown) => work(),
      coordinator: async () => 1,
      askInParts: async () => ({ groups: [{ errorCode: 0, topics: [{ name: 't', partitions }] }] }),
    },
    group: 'g',
    listener: { assigned: async (at: object) => at, revoked: async () => undefined, lost: async () => undefined },
    membership: {
      ...{ target: [AT], attend: async () => false, own: async () => undefined, abandon: () => undefined },
      asMember: (send: (member: object) => Promise<void>) => send({ group: 'g', memberId: 'm', generation: 2 }),
      leave: async () => undefined,
      ...given.membership,
    },
    reader: {
      ...{ heldBytes: 0, take: () => [], readAhead: () => undefined, silentMs: () => 0 },
      ...{ begin: () => undefined, stop: () => undefined, stopAll: () => undefined, close: () => undefined },
    },
    producer: { begin: async () => undefined, forget: () => undefined, ...given.producer },
    sort: async () => [],
    ...{ isNamed: false, unavailableAfterMs: 1000, closed: () => undefined },
  } as unknown as ConsumerParts;
}

it('sends nothing of a commit whose partitions were lost while it was under way, whatever the new generation', async () => {
  let isLost = false;
  const sent: object[] = [];
  const { promise: gate, resolve: open } = Promise.withResolvers<void>();
  const consumer = new KafkaConsumer(
    partsWith({
      membership: { attend: async () => isLost },
      producer: {
        run: async (_: object, positions: object, asMember: (send: () => Promise<void>) => Promise<void>) => {
          await gate;
          await asMember(async () => {
            sent.push(positions);
          });
        },
      },
    }),
  );
  for (let tries = 0; tries < 5; tries++) await consumer.poll(1, 0);
  const committing = consumer.commit([], [{ ...AT, offset: 5 }]);
  committing.catch(() => undefined);
  isLost = true;
  await consumer.poll(1, 0);
  open();
  await expect(committing).rejects.toThrow(FencedError);
  expect(sent).toEqual([]);
});

it('commits what is its own', async () => {
  const sent: object[] = [];
  const run = async (_: object, positions: object) => {
    sent.push(positions);
  };
  const consumer = new KafkaConsumer(partsWith({ producer: { run } }));
  for (let tries = 0; tries < 5; tries++) await consumer.poll(1, 0);
  await consumer.commit([], [{ ...AT, offset: 5 }]);
  expect(sent).toEqual([[{ ...AT, offset: 5 }]]);
  await expect(consumer.commit([], [{ ...AT, partition: 1, offset: 5 }])).rejects.toThrow(FencedError);
});
