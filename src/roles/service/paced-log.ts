// The same log for those who need not be quick: between two polls they rest, and take what has come meanwhile at once.
//
// In the embedded profile everybody shares one event loop. A follower that is woken by every commit, some hundred a second,
// costs more than what it does with the few records that it finds.
import type { StreamLog } from '../../ports.ts';

export function pacedLog(log: StreamLog, restMs: number): StreamLog {
  return {
    ...bound(log),
    async join(options) {
      const consumer = await log.join(options);
      const poll = consumer.poll.bind(consumer);
      consumer.poll = async (maxRecords) => {
        await new Promise((resolve) => setTimeout(resolve, restMs));
        return await poll(maxRecords, 0);
      };
      return consumer;
    },
  };
}

/** Some logs are objects of functions, some of a class: both lose nothing in this way. */
function bound(log: StreamLog): StreamLog {
  return {
    topics: () => log.topics(),
    createTopics: (wanted) => log.createTopics(wanted),
    append: (records) => log.append(records),
    join: (options) => log.join(options),
    read: (from, maxRecords, maxWaitMs) => log.read(from, maxRecords, maxWaitMs),
    tail: (topics) => log.tail(topics),
    bounds: (topic) => log.bounds(topic),
    groupPositions: (group, topic, isSettled) => log.groupPositions(group, topic, isSettled),
    close: () => log.close(),
  };
}
