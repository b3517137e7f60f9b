// Programs for the Java virtual machine that tests need, as sets of jars. They come from Maven Central once (`mvn`, a pom.xml
// beside the script that asks) and are kept in the user's cache, so that later starts need neither Maven nor a network.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

export interface Jars {
  /** The command `java`. */
  readonly java: string;
  /** A folder of its own for this set of jars; other things that can be made again may be put beside `libs`. */
  readonly folder: string;
  /** For `java -cp`; the same order every time, as class data sharing asks for. */
  readonly classPath: string;
}

const OLDEST_JAVA = 17;

function cacheFolder(pom: string, name: string): string {
  const base = process.env.XDG_CACHE_HOME || join(homedir(), '.cache');
  const key = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12);
  return join(base, 'centinela', `${name}-${key}`);
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

function copyJars(pom: string, folder: string): string | null {
  const { error, status } = spawnSync('mvn', ['-version'], { encoding: 'utf8' });
  if (error || status !== 0) return `${folder} has no jars and there is no Maven (mvn) to fetch them`;
  const scratch = `${folder}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  try {
    const copied = spawnSync(
      'mvn',
      [
        '-q',
        '-B',
        '-f',
        pom,
        'dependency:copy-dependencies',
        '-DincludeScope=runtime',
        `-DoutputDirectory=${join(scratch, 'libs')}`,
      ],
      { encoding: 'utf8' },
    );
    if (copied.status !== 0) {
      const line = `${copied.stdout}${copied.stderr}`.split('\n').find((text) => text.includes('ERROR')) ?? '';
      return `Maven could not fetch the jars of ${pom}: ${line.trim()}`;
    }
    mkdirSync(dirname(folder), { recursive: true });
    moveUnlessThere(scratch, folder);
    return null;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * The jars of a pom, fetched if need be (half a minute); or why they cannot be had, in one line.
 *
 * @param name what the folder in the cache is called
 */
export function findJars(pom: string, name: string): Jars | { readonly why: string } {
  const java = findJava();
  if ('why' in java) return java;
  const folder = cacheFolder(pom, name);
  const libs = join(folder, 'libs');
  if (!existsSync(libs)) {
    const why = copyJars(pom, folder);
    if (why !== null) return { why };
  }
  const jars = readdirSync(libs).sort();
  return { java: java.java, folder, classPath: jars.map((jar) => join(libs, jar)).join(':') };
}
