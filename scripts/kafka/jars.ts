// Apache Kafka's jars and the Java that runs them. The jars come from Maven Central once (`mvn`, pom.xml beside this
// file) and are kept in the user's cache, so that later starts need neither Maven nor a network.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export interface KafkaDistribution {
  /** The command `java`. */
  readonly java: string;
  /** A folder of its own for this set of jars; other things that can be made again may be put beside `libs`. */
  readonly folder: string;
  /** For `java -cp`; the same order every time, as class data sharing asks for. */
  readonly classPath: string;
}

const POM = join(dirname(fileURLToPath(import.meta.url)), 'pom.xml');
const OLDEST_JAVA = 17;

function cacheFolder(): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const key = createHash('sha256').update(readFileSync(POM)).digest('hex').slice(0, 12);
  return join(base, 'centinela', `kafka-${key}`);
}

function findJava(): { readonly java: string } | { readonly why: string } {
  const java = process.env.JAVA_HOME ? join(process.env.JAVA_HOME, 'bin', 'java') : 'java';
  const { error, stderr, status } = spawnSync(java, ['-version'], { encoding: 'utf8' });
  if (error || status !== 0) return { why: `there is no Java (tried ${java})` };
  const version = Number(/version "(\d+)/.exec(stderr)?.[1]);
  if (!(version >= OLDEST_JAVA)) return { why: `Java ${version} is older than ${OLDEST_JAVA}` };
  return { java };
}

/** Whoever is first wins; both have made the same. */
export function moveUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
  }
}

function copyJars(folder: string): string | null {
  const { error, status } = spawnSync('mvn', ['-version'], { encoding: 'utf8' });
  if (error || status !== 0) return `${folder} has no Kafka jars and there is no Maven (mvn) to fetch them`;
  const scratch = `${folder}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  try {
    const copied = spawnSync(
      'mvn',
      [
        '-q',
        '-B',
        '-f',
        POM,
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${join(scratch, 'libs')}`,
      ],
      { encoding: 'utf8' },
    );
    if (copied.status !== 0) {
      const line = `${copied.stdout}${copied.stderr}`.split('\n').find((text) => text.includes('ERROR')) ?? '';
      return `Maven could not fetch Kafka's jars: ${line.trim()}`;
    }
    mkdirSync(dirname(folder), { recursive: true });
    moveUnlessThere(scratch, folder);
    return null;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Where Kafka is, fetched if need be (half a minute); or why it cannot be had, in one line. */
export function findKafka(): KafkaDistribution | { readonly why: string } {
  const java = findJava();
  if ('why' in java) return java;
  const folder = cacheFolder();
  const libs = join(folder, 'libs');
  if (!existsSync(libs)) {
    const why = copyJars(folder);
    if (why !== null) return { why };
  }
  const jars = readdirSync(libs).sort();
  return { java: java.java, folder, classPath: jars.map((jar) => join(libs, jar)).join(':') };
}

/** Why no real Kafka can be used in tests, in one line; null where one can. */
export function whyNoKafka(): string | null {
  if (process.env.KAFKA_BROKERS) return null;
  const found = findKafka();
  return 'why' in found ? found.why : null;
}
