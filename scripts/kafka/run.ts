// `npm run kafka`: a real Apache Kafka on loopback until Ctrl-C.
//
//   npm run kafka -- [--nodes N] [--port P] [--heap-mb M]
import { parseArgs } from 'node:util';
import { startKafka } from './broker.ts';

const { values } = parseArgs({
  options: {
    nodes: { type: 'string', default: '1' },
    port: { type: 'string' },
    'heap-mb': { type: 'string', default: '256' },
  },
});
const nodes = Number(values.nodes);
const first = values.port === undefined ? null : Number(values.port);

try {
  const kafka = await startKafka({
    nodes,
    heapMb: Number(values['heap-mb']),
    ...(first !== null && { ports: Array.from({ length: nodes }, (_, index) => first + index) }),
  });
  process.stdout.write(`${kafka.bootstrap}\n`);
  process.stderr.write(
    kafka.external
      ? 'Using the brokers of KAFKA_BROKERS.\n'
      : `Kafka is ready. In another terminal: export KAFKA_BROKERS=${kafka.bootstrap}\nCtrl-C stops it and removes its data.\n`,
  );
  if (!kafka.external) {
    let stopping = false;
    const stop = () => {
      if (stopping) return;
      stopping = true;
      kafka.stop().then(() => process.exit(0));
    };
    process.on('SIGINT', stop);
    process.on('SIGTERM', stop);
    process.on('SIGHUP', stop);
    // Kept alive by the timer: nothing else of ours waits.
    setInterval(() => {}, 60_000);
  }
} catch (error) {
  process.stderr.write(`kafka: ${error instanceof Error ? error.message : error}\n`);
  process.exitCode = 1;
}
