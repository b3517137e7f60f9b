// What topics take on the brokers' disks, by Kafka's own tool: compressed, one copy.
import type { RunningKafka } from '../../scripts/kafka/broker.ts';

interface LogDirs {
  readonly brokers: readonly {
    readonly logDirs: readonly {
      readonly partitions: readonly { readonly partition: string; readonly size: number }[];
    }[];
  }[];
}

/** NaN where there is no Java to run the tool. */
export function bytesOnDisk({ bootstrap, tool }: RunningKafka, topic: string): number {
  const args = ['--bootstrap-server', bootstrap, '--describe', '--topic-list', topic];
  const { status, stdout } = tool('org.apache.kafka.tools.LogDirsCommand', args);
  const json = stdout.split('\n').find((line) => line.startsWith('{'));
  if (status !== 0 || json === undefined) return Number.NaN;
  const sizes = new Map<string, number>();
  for (const { logDirs } of (JSON.parse(json) as LogDirs).brokers) {
    for (const { partition, size } of logDirs.flatMap(({ partitions }) => partitions)) {
      sizes.set(partition, Math.max(size, sizes.get(partition) ?? 0));
    }
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
