// A real Apache Kafka on loopback, for tests and for trying things out: KRaft, brokers and controllers in one process per
// node, everything in a temporary folder.
//
// Formatting a log folder costs a start of Java; what it writes does not depend on ports or folders, so it is done once
// per node id and kept beside the jars. A small shell per node waits on a pipe of ours and ends the node when we are gone
// by whatever death, so that nothing is left behind.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Jars, moveUnlessThere } from '../jvm/jars.ts';
import { findKafka } from './jars.ts';

/** The user that the SASL listeners let in, whatever the mechanism. */
export const TEST_USER = { username: 'centinela', password: 'for-tests-only' } as const;

export interface TlsFiles {
  /** PKCS#12 with the broker's key and certificate. */
  readonly keyStore: string;
  readonly keyStorePassword: string;
}

export interface KafkaOptions {
  /** Nodes, each broker and controller; 1 where it is left out. With 3, copies and acknowledgements need two of them. */
  readonly nodes?: number;
  /** Ports of the brokers' plain listeners; free ones where it is left out. */
  readonly ports?: readonly number[];
  /** Heap of each node; 256 where it is left out. */
  readonly heapMb?: number;
  /** Java compiles busy code fully: a start takes longer, and a broker under load then takes less of the processor. For benchmarks. */
  readonly forLoad?: boolean;
  /** Adds a listener with SASL PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and OAUTHBEARER (unsigned tokens) without TLS. */
  readonly sasl?: boolean;
  /** Adds a TLS listener, and with `sasl` one of both. */
  readonly tls?: TlsFiles;
  /** More lines of server.properties; they win. */
  readonly properties?: Readonly<Record<string, string | number>>;
}

export interface ToolResult {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningKafka {
  /** host:port of every broker, joined by commas. */
  readonly bootstrap: string;
  /** The same for the other listeners; null where there are none. */
  readonly saslBootstrap: string | null;
  readonly tlsBootstrap: string | null;
  readonly saslTlsBootstrap: string | null;
  /** True for the brokers of KAFKA_BROKERS, which are never stopped, killed or restarted. */
  readonly external: boolean;
  /** In order, as an operator does; then the data are gone. */
  stop(): Promise<void>;
  /** SIGKILL, of one node (from 0) or all; the data stay. */
  kill(node?: number): Promise<void>;
  /** Starts what was killed on the same ports and data, killing first what still runs. */
  restart(node?: number): Promise<void>;
  /** Runs one of Kafka's own tools (a main class) to its end; null in place of what Java would print where there is none. */
  tool(mainClass: string, args: readonly string[], timeoutMs?: number): ToolResult;
}

interface Ports {
  readonly plain: number;
  readonly controller: number;
  readonly sasl: number;
  readonly tls: number;
  readonly saslTls: number;
}

interface Node {
  readonly id: number;
  readonly ports: Ports;
  readonly folder: string;
  child: ChildProcess | null;
  watchdog: ChildProcess | null;
}

const START_LIMIT_MS = 60_000;
/** The first orderly stop of all writes the class archive, which takes seconds. */
const STOP_LIMIT_MS = 40_000;
const CLUSTER_ID = 'Y2VudGluZWxhLXRlc3RzLQ';
const LOG4J = join(dirname(fileURLToPath(import.meta.url)), 'log4j2.properties');
const COLLECTOR = '-XX:+UseSerialGC';
const QUICK = ['-XX:TieredStopAtLevel=1', COLLECTOR];

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from(
      { length: count },
      () =>
        new Promise<ReturnType<typeof createServer>>((resolve, reject) => {
          const server = createServer();
          server.once('error', reject);
          server.listen(0, '127.0.0.1', () => resolve(server));
        }),
    ),
  );
  // All are held until the last is known, so that none is given twice.
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function properties(node: Node, all: readonly Node[], options: KafkaOptions): string {
  const copies = Math.min(3, all.length);
  const enough = Math.min(2, copies);
  const listeners: [name: string, port: number, protocol: string][] = [['PLAINTEXT', node.ports.plain, 'PLAINTEXT']];
  if (options.sasl) listeners.push(['SASL', node.ports.sasl, 'SASL_PLAINTEXT']);
  if (options.tls) listeners.push(['TLS', node.ports.tls, 'SSL']);
  if (options.sasl && options.tls) listeners.push(['SASLTLS', node.ports.saslTls, 'SASL_SSL']);
  const advertised = listeners.map(([name, port]) => `${name}://127.0.0.1:${port}`);
  const settings: Record<string, string | number> = {
    'process.roles': 'broker,controller',
    'node.id': node.id,
    // A fixed quorum: unlike a dynamic one it is not written into the formatted folder, which can then be copied.
    'controller.quorum.voters': all.map(({ id, ports }) => `${id}@127.0.0.1:${ports.controller}`).join(','),
    listeners: [...advertised, `CONTROLLER://127.0.0.1:${node.ports.controller}`].join(','),
    'advertised.listeners': advertised.join(','),
    'listener.security.protocol.map': [
      ...listeners.map(([name, , protocol]) => `${name}:${protocol}`),
      'CONTROLLER:PLAINTEXT',
    ].join(','),
    'controller.listener.names': 'CONTROLLER',
    'inter.broker.listener.name': 'PLAINTEXT',
    'log.dirs': join(node.folder, 'data'),
    'num.partitions': 8,
    'default.replication.factor': copies,
    'min.insync.replicas': enough,
    'auto.create.topics.enable': 'false',
    'offsets.topic.replication.factor': copies,
    'offsets.topic.num.partitions': 4,
    'transaction.state.log.replication.factor': copies,
    'transaction.state.log.min.isr': enough,
    'transaction.state.log.num.partitions': 4,
    'share.coordinator.state.topic.replication.factor': copies,
    'share.coordinator.state.topic.min.isr': enough,
    // Small, quick and quick to notice: what production sets to tens of seconds.
    'group.initial.rebalance.delay.ms': 0,
    'group.min.session.timeout.ms': 1000,
    'group.consumer.min.session.timeout.ms': 1000,
    'group.consumer.session.timeout.ms': 6000,
    'group.consumer.min.heartbeat.interval.ms': 100,
    'group.consumer.heartbeat.interval.ms': 500,
    'transaction.abort.timed.out.transaction.cleanup.interval.ms': 1000,
    'add.partitions.to.txn.retry.backoff.ms': 2,
    'controlled.shutdown.enable': all.length > 1 ? 'true' : 'false',
    'broker.session.timeout.ms': 3000,
    'broker.heartbeat.interval.ms': 500,
    'initial.broker.registration.timeout.ms': 30_000,
    'num.network.threads': 2,
    'num.io.threads': 2,
    'background.threads': 2,
    'log.cleaner.dedupe.buffer.size': 4 * 1024 * 1024,
    'log.index.size.max.bytes': 1024 * 1024,
    'offsets.topic.segment.bytes': 16 * 1024 * 1024,
    'transaction.state.log.segment.bytes': 16 * 1024 * 1024,
  };
  if (options.sasl) {
    const { username, password } = TEST_USER;
    const plain = 'org.apache.kafka.common.security.plain.PlainLoginModule required';
    const scram = 'org.apache.kafka.common.security.scram.ScramLoginModule required;';
    const oauth = 'org.apache.kafka.common.security.oauthbearer';
    for (const listener of options.tls ? ['sasl', 'sasltls'] : ['sasl']) {
      const prefix = `listener.name.${listener}`;
      settings[`${prefix}.sasl.enabled.mechanisms`] = 'PLAIN,SCRAM-SHA-256,SCRAM-SHA-512,OAUTHBEARER';
      settings[`${prefix}.plain.sasl.jaas.config`] = `${plain} user_${username}="${password}";`;
      settings[`${prefix}.scram-sha-256.sasl.jaas.config`] = scram;
      settings[`${prefix}.scram-sha-512.sasl.jaas.config`] = scram;
      settings[`${prefix}.oauthbearer.sasl.jaas.config`] =
        `${oauth}.OAuthBearerLoginModule required unsecuredLoginStringClaim_sub="broker";`;
    }
  }
  if (options.tls) {
    settings['ssl.keystore.type'] = 'PKCS12';
    settings['ssl.keystore.location'] = options.tls.keyStore;
    settings['ssl.keystore.password'] = options.tls.keyStorePassword;
    settings['ssl.key.password'] = options.tls.keyStorePassword;
  }
  return Object.entries({ ...settings, ...options.properties })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

/** Copies a formatted log folder into the node's, formatting one first where there is none yet. */
function format(kafka: Jars, node: Node): void {
  const template = join(kafka.folder, `formatted-${node.id}`);
  if (!existsSync(template)) {
    const scratch = mkdtempSync(join(kafka.folder, 'formatting-'));
    try {
      const file = join(scratch, 'server.properties');
      const data = join(scratch, 'data');
      writeFileSync(
        file,
        [
          'process.roles=broker,controller',
          `node.id=${node.id}`,
          `controller.quorum.voters=${node.id}@127.0.0.1:9093`,
          'listeners=PLAINTEXT://127.0.0.1:9092,CONTROLLER://127.0.0.1:9093',
          'listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT',
          'controller.listener.names=CONTROLLER',
          `log.dirs=${data}`,
          '',
        ].join('\n'),
      );
      const user = `[name=${TEST_USER.username},password=${TEST_USER.password}]`;
      const users = ['256', '512'].flatMap((bits) => ['--add-scram', `SCRAM-SHA-${bits}=${user}`]);
      const { status, stdout, stderr } = spawnSync(
        kafka.java,
        [...QUICK, '-cp', kafka.classPath, 'kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file, ...users],
        { encoding: 'utf8' },
      );
      if (status !== 0) throw new Error(`formatting Kafka's folder failed: ${stderr || stdout}`);
      moveUnlessThere(data, template);
    } finally {
      rmSync(scratch, { recursive: true, force: true });
    }
  }
  cpSync(template, join(node.folder, 'data'), { recursive: true });
}

function start(kafka: Jars, node: Node, javaOptions: readonly string[]): Promise<void> {
  const child = spawn(
    kafka.java,
    [
      ...javaOptions,
      ...classDataSharing(kafka, node),
      '-Djava.net.preferIPv4Stack=true',
      `-Dlog4j2.configurationFile=file:${LOG4J}`,
      '-cp',
      kafka.classPath,
      'kafka.Kafka',
      join(node.folder, 'server.properties'),
    ],
    // A group of its own: Ctrl-C reaches us alone, and we stop the nodes in order.
    { stdio: ['ignore', 'pipe', 'pipe'], detached: true },
  );
  node.child = child;
  const pid = child.pid;
  if (pid !== undefined) {
    const watchdog = spawn('sh', ['-c', `read -r _; kill -9 ${pid}; rm -rf '${dirname(node.folder)}'`], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    watchdog.on('error', () => {});
    watchdog.stdin?.on('error', () => {});
    node.watchdog = watchdog;
    child.once('exit', () => watchdog.kill('SIGKILL'));
  }
  return new Promise((resolve, reject) => {
    let output = '';
    const fail = (why: string) => {
      child.kill('SIGKILL');
      reject(new Error(`Kafka node ${node.id} did not start (${why}): ${output.slice(-4000)}`));
    };
    const timer = setTimeout(() => fail(`not ready in ${START_LIMIT_MS / 1000} s`), START_LIMIT_MS);
    const onText = (text: Buffer) => {
      output = (output + text.toString()).slice(-16_000);
      if (output.includes('Kafka Server started')) {
        clearTimeout(timer);
        resolve();
      }
    };
    child.stdout?.on('data', onText);
    child.stderr?.on('data', onText);
    child.once('error', (error) => fail(error.message));
    child.once('exit', (code, signal) => {
      clearTimeout(timer);
      fail(`it ended with ${signal ?? code}`);
    });
  });
}

/** Loaded classes, kept by the first orderly stop of all: later starts take half the time. */
const archiveOf = (kafka: Jars) => join(kafka.folder, 'classes.jsa');
const archiveBeingWritten = (kafka: Jars, node: Node) => `${archiveOf(kafka)}.${process.pid}.${node.id}`;

function classDataSharing(kafka: Jars, node: Node): string[] {
  const archive = archiveOf(kafka);
  return existsSync(archive)
    ? [`-XX:SharedArchiveFile=${archive}`, '-Xshare:auto', '-Xlog:disable', '-Xlog:all=error:stderr']
    : [`-XX:ArchiveClassesAtExit=${archiveBeingWritten(kafka, node)}`, '-Xlog:disable'];
}

/** A node that was killed leaves none. */
function keepArchive(kafka: Jars, node: Node): void {
  const written = archiveBeingWritten(kafka, node);
  if (existsSync(written)) renameSync(written, archiveOf(kafka));
}

function end(node: Node, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
  const child = node.child;
  node.child = null;
  if (child === null || child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
    child.once('exit', () => {
      clearTimeout(timer);
      resolve();
    });
    child.kill(signal);
  });
}

function runTool(kafka: Jars | null): RunningKafka['tool'] {
  return (mainClass, args, timeoutMs = 60_000) => {
    if (kafka === null) return { status: null, stdout: '', stderr: 'no Java' };
    const { status, stdout, stderr } = spawnSync(
      kafka.java,
      ['-Xmx256m', ...QUICK, `-Dlog4j2.configurationFile=file:${LOG4J}`, '-cp', kafka.classPath, mainClass, ...args],
      { encoding: 'utf8', timeout: timeoutMs, maxBuffer: 1 << 28 },
    );
    return { status, stdout, stderr };
  };
}

function existing(bootstrap: string): RunningKafka {
  const refuse = () => Promise.reject(new Error('the brokers of KAFKA_BROKERS are not ours to stop'));
  const found = findKafka();
  return {
    bootstrap,
    saslBootstrap: null,
    tlsBootstrap: null,
    saslTlsBootstrap: null,
    external: true,
    stop: () => Promise.resolve(),
    kill: refuse,
    restart: refuse,
    tool: runTool('why' in found ? null : found),
  };
}

/**
 * Starts a cluster and returns once it serves; or gives the brokers of KAFKA_BROKERS.
 *
 * @throws Error that says in one line why there is none.
 */
export async function startKafka(options: KafkaOptions = {}): Promise<RunningKafka> {
  if (process.env.KAFKA_BROKERS) return existing(process.env.KAFKA_BROKERS);
  const kafka = findKafka();
  if ('why' in kafka) throw new Error(`no Kafka: ${kafka.why}`);
  const count = options.nodes ?? 1;
  const heapMb = options.heapMb ?? 256;
  const javaOptions = [`-Xms${heapMb}m`, `-Xmx${heapMb}m`, ...(options.forLoad ? [COLLECTOR] : QUICK)];
  const ports = await freePorts(count * 5);
  const root = mkdtempSync(join(tmpdir(), 'centinela-kafka-'));
  const nodes: Node[] = Array.from({ length: count }, (_, index) => {
    const [plain, controller, sasl, tls, saslTls] = ports.slice(index * 5) as [number, number, number, number, number];
    return {
      id: index + 1,
      ports: { plain: options.ports?.[index] ?? plain, controller, sasl, tls, saslTls },
      folder: join(root, `node-${index + 1}`),
      child: null,
      watchdog: null,
    };
  });
  const chosen = (node?: number) => (node === undefined ? nodes : [nodes[node] as Node]);
  const endAll = (some: readonly Node[], signal: 'SIGTERM' | 'SIGKILL') =>
    Promise.all(some.map((node) => end(node, signal)));
  const addresses = (name: keyof Ports) => nodes.map((node) => `127.0.0.1:${node.ports[name]}`).join(',');
  try {
    for (const node of nodes) {
      mkdirSync(node.folder, { recursive: true });
      format(kafka, node);
      writeFileSync(join(node.folder, 'server.properties'), properties(node, nodes, options));
    }
    await Promise.all(nodes.map((node) => start(kafka, node, javaOptions)));
  } catch (error) {
    await endAll(nodes, 'SIGKILL');
    rmSync(root, { recursive: true, force: true });
    throw error;
  }
  return {
    bootstrap: addresses('plain'),
    saslBootstrap: options.sasl ? addresses('sasl') : null,
    tlsBootstrap: options.tls ? addresses('tls') : null,
    saslTlsBootstrap: options.sasl && options.tls ? addresses('saslTls') : null,
    external: false,
    async stop() {
      await endAll(nodes, 'SIGTERM');
      for (const node of nodes) keepArchive(kafka, node);
      rmSync(root, { recursive: true, force: true });
    },
    async kill(node) {
      await endAll(chosen(node), 'SIGKILL');
    },
    async restart(node) {
      await endAll(chosen(node), 'SIGKILL');
      await Promise.all(chosen(node).map((one) => start(kafka, one, javaOptions)));
    },
    tool: runTool(kafka),
  };
}
