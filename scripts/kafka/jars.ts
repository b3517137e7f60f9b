// Apache Kafka's jars and the Java that runs them.
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findJars, type Jars } from '../jvm/jars.ts';

const POM = join(dirname(fileURLToPath(import.meta.url)), 'pom.xml');

/** Where Kafka is, fetched if need be; or why it cannot be had, in one line. */
export function findKafka(): Jars | { readonly why: string } {
  return findJars(POM, 'kafka');
}

/** Why no real Kafka can be used in tests, in one line; null where one can. */
export function whyNoKafka(): string | null {
  if (process.env.KAFKA_BROKERS) return null;
  const found = findKafka();
  return 'why' in found ? found.why : null;
}
