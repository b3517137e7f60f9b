// Where a group stands on Kafka, as its coordinator knows it.
import { offsetFetchV8, offsetFetchV9 } from '@platformatic/kafka';
import { StreamUnavailableError } from '../../lib/errors.ts';
import type { StreamPartition, StreamPosition } from '../../ports.ts';
import type { KafkaCluster } from './cluster.ts';

const UNSTABLE_PAUSE_MS = 100;

/** @param isSettled offsets of a transaction that its writer left open are waited for @returns 0 where the group never was */
export async function committedOffsets(
  cluster: KafkaCluster,
  group: string,
  partitions: readonly StreamPartition[],
  isSettled: boolean,
  isOver: () => boolean,
): Promise<StreamPosition[]> {
  const topics = [...Map.groupBy(partitions, ({ topic }) => topic)].map(([name, parts]) => ({
    name,
    partitionIndexes: parts.map(({ partition }) => partition),
  }));
  const wanted = { groupId: group, memberId: null, memberEpoch: -1, topics };
  const { consumerProtocol } = await cluster.features();
  const { api } = consumerProtocol ? offsetFetchV9 : offsetFetchV8;
  for (;;) {
    const answer = await cluster.retrying('Asking where the group stands', async () =>
      cluster.askInParts(await cluster.coordinator('group', group), 'group', api, [wanted], isSettled),
    );
    const parts = (answer.groups[0]?.topics ?? []).flatMap(({ name, partitions: some }) =>
      some.map((one) => ({ ...one, topic: name })),
    );
    const groupError = answer.groups[0]?.errorCode ?? 0;
    if (groupError === 0 && parts.every(({ errorCode }) => errorCode === 0)) {
      // -1: the group never was there.
      return parts.map(({ topic, partitionIndex, committedOffset }) => ({
        ...{ topic, partition: partitionIndex },
        offset: Math.max(0, Number(committedOffset)),
      }));
    }
    if (isOver()) throw new StreamUnavailableError('The member has left');
    cluster.learnFrom(Object.assign(new Error('offsets are not there'), { apiId: 'NOT_COORDINATOR' }));
    await cluster.pause(UNSTABLE_PAUSE_MS);
  }
}
