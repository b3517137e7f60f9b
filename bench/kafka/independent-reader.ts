// Topics read by a program that is not ours, where there is one: kcat, else Kafka's console consumer, else our own reader.
import { spawn, spawnSync } from 'node:child_process';
import type { RunningKafka } from '../../scripts/kafka/broker.ts';
import type { StreamLog } from '../../src/ports.ts';

export interface ReadTopic {
  readonly topic: string;
  /** What of each committed record is taken. */
  readonly part: 'key' | 'value';
}

export interface IndependentReader {
  readonly name: string;
  /** Every committed record that is there now, a partition after another or mixed. */
  read(wanted: ReadTopic, take: (text: string) => void): Promise<void>;
}

const CONSOLE_CONSUMER = 'org.apache.kafka.tools.consumer.ConsoleConsumer';
/** Of one start of the console consumer, whose output is held in memory. */
const CONSOLE_RECORDS = 100_000;
const CONSOLE_QUIET_MS = 10_000;
const CONSOLE_LIMIT_MS = 300_000;
const OWN_RECORDS = 10_000;

export function independentReader(kafka: RunningKafka, log: StreamLog): IndependentReader {
  if (spawnSync('kcat', ['-V']).status === 0) return kcat(kafka.bootstrap);
  if (kafka.tool(CONSOLE_CONSUMER, ['--version']).status === 0) return consoleConsumer(kafka, log);
  return ownReader(log);
}

function kcat(brokers: string): IndependentReader {
  return {
    name: 'kcat',
    read: ({ topic, part }, take) =>
      new Promise((resolve, reject) => {
        const format = part === 'key' ? '%k\\n' : '%s\\n';
        const committed = ['-X', 'isolation.level=read_committed'];
        const args = ['-C', '-b', brokers, '-t', topic, '-o', 'beginning', '-e', '-q', '-f', format, ...committed];
        const child = spawn('kcat', args, { stdio: ['ignore', 'pipe', 'pipe'] });
        let rest = '';
        let complaint = '';
        child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
          const lines = (rest + chunk).split('\n');
          rest = lines.pop() ?? '';
          for (const line of lines) take(line);
        });
        child.stderr.setEncoding('utf8').on('data', (text: string) => {
          complaint = (complaint + text).slice(-2000);
        });
        child.once('error', reject);
        child.once('close', (code) => {
          if (code === 0) resolve();
          else reject(new Error(`kcat ended with ${code}: ${complaint}`));
        });
      }),
  };
}

function consoleConsumer({ bootstrap, tool }: RunningKafka, log: StreamLog): IndependentReader {
  return {
    name: 'kafka-console-consumer',
    async read({ topic, part }, take) {
      const shown = { 'print.offset': true, 'print.key': part === 'key', 'print.value': part === 'value' };
      for (const { partition, start, end } of await log.bounds(topic)) {
        for (let offset = start; offset < end; ) {
          const { stdout } = tool(
            CONSOLE_CONSUMER,
            [
              ...['--bootstrap-server', bootstrap, '--topic', topic, '--partition', `${partition}`],
              ...[
                '--offset',
                `${offset}`,
                '--max-messages',
                `${CONSOLE_RECORDS}`,
                '--timeout-ms',
                `${CONSOLE_QUIET_MS}`,
              ],
              ...['--isolation-level', 'read_committed'],
              ...Object.entries(shown).flatMap(([name, value]) => ['--property', `${name}=${value}`]),
            ],
            CONSOLE_LIMIT_MS,
          );
          const lines = stdout.split('\n').filter(Boolean);
          for (const line of lines) take(line.slice(line.indexOf('\t') + 1));
          // Behind the last decision there may be nothing but markers of commits.
          if (lines.length === 0) break;
          offset = Number(/^Offset:(\d+)/.exec(lines.at(-1)!)![1]) + 1;
        }
      }
    },
  };
}

function ownReader(log: StreamLog): IndependentReader {
  const decoder = new TextDecoder();
  return {
    name: 'own reader',
    async read({ topic, part }, take) {
      for (const { partition, start, end } of await log.bounds(topic)) {
        for (let offset = start; offset < end; ) {
          const records = await log.read({ topic, partition, offset }, OWN_RECORDS, 0);
          for (const record of records) take(decoder.decode(record[part] ?? undefined));
          if (records.length === 0) break;
          offset = records.at(-1)!.offset + 1;
        }
      }
    },
  };
}
