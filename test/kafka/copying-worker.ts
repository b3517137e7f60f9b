// A process of its own that copies a topic to another exactly once until it is killed: what exactly-once.test.ts kills.
import { openKafkaLog } from '../../src/adapters/kafka/kafka-log.ts';
import { FencedError, StreamUnavailableError } from '../../src/lib/errors.ts';
import type { OutgoingRecord, StreamPosition } from '../../src/ports.ts';

const [brokers, group, input, output] = process.argv.slice(2);
const log = openKafkaLog({ brokers: brokers.split(','), transactionTimeoutMs: 5000 });

const consumer = await log.join({
  group,
  topics: [input],
  listener: {
    assigned: async (committed) => committed,
    revoked: async () => undefined,
    lost: async () => undefined,
  },
});

/** Tried again until it is known what became of it. */
async function commit(outputs: readonly OutgoingRecord[], positions: readonly StreamPosition[]): Promise<void> {
  for (;;) {
    try {
      return await consumer.commit(outputs, positions);
    } catch (error) {
      if (error instanceof StreamUnavailableError) continue;
      throw error;
    }
  }
}

for (;;) {
  try {
    const batches = await consumer.poll(200, 100);
    if (batches.length === 0) continue;
    const outputs = batches.flatMap(({ partition, records }) =>
      records.map(({ key, value }) => ({ topic: output, partition, key, value, headers: [], timestampMs: null })),
    );
    await commit(
      outputs,
      batches.map(({ topic, partition, records }) => ({ topic, partition, offset: records.at(-1)!.offset + 1 })),
    );
  } catch (error) {
    if (!(error instanceof FencedError) && !(error instanceof StreamUnavailableError)) throw error;
    // What was taken is somebody else's; the next poll tells what is ours.
  }
}
