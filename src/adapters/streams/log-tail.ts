// A tail over any log whose records are at hand in this process: the memory log and the file log have it in common.
import type { StreamBatch, StreamPosition, StreamTail } from '../../ports.ts';
import type { GroupLog } from './group-consumer.ts';

/** @param ends where each partition's tail begins */
export function createLogTail(
  ends: readonly StreamPosition[],
  log: Pick<GroupLog, 'fetch' | 'end' | 'patience'>,
): StreamTail {
  const positions = ends.map((at) => ({ ...at }));
  let turn = 0;
  let isClosed = false;

  async function fetch(maxRecords: number): Promise<StreamBatch[]> {
    const batches: StreamBatch[] = [];
    const first = turn++;
    let left = maxRecords;
    for (let i = 0; i < positions.length && left > 0; i++) {
      // Whoever came first last time comes last now.
      const at = positions[(first + i) % positions.length];
      if (at.offset >= log.end(at)) continue;
      const records = await log.fetch(at, left);
      if (records.length === 0) continue;
      at.offset = records[records.length - 1].offset + 1;
      left -= records.length;
      batches.push({ topic: at.topic, partition: at.partition, records });
    }
    return batches;
  }

  return {
    async poll(maxRecords, maxWaitMs) {
      const somethingNew = log.patience(maxWaitMs);
      for (;;) {
        const batches = isClosed ? [] : await fetch(maxRecords);
        if (isClosed || batches.length > 0 || !(await somethingNew())) return batches;
      }
    },
    async close() {
      isClosed = true;
    },
  };
}
