// Where tests of the Kafka adapter get their brokers: long tests only, and only where there is a Java or KAFKA_BROKERS.
import { whyNoKafka } from '../../scripts/kafka/jars.ts';

const asked = process.env.CENTINELA_LONG_TESTS === '1';
const why = asked ? whyNoKafka() : null;
if (why !== null) process.stderr.write(`Tests on a real Kafka are skipped: ${why}\n`);

/** For `describe.runIf`. */
export const withKafka = asked && why === null;
/** The same for tests that stop the brokers or need listeners of their own. */
export const withOwnKafka = withKafka && !process.env.KAFKA_BROKERS;
