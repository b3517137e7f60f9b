// A worker as an operator starts it: a process of its own, watched from outside.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { BUILT_IN_RULES } from '../../src/cli/rule-files.ts';
import { type PreparedModel, ROOT } from './prepared-model.ts';

export interface WorkerOptions {
  readonly brokers: string;
  readonly topicPrefix: string;
  readonly group: string;
  readonly checkpoints: string;
  readonly stages: 'one' | 'keyed';
  readonly prepared: PreparedModel;
}

export interface WorkerProcess {
  /** How many partitions it has been given and has not given up. */
  partitions(): number;
  /** Of memory that is really used (RSS). NaN where /proc does not tell, or after its end. */
  residentBytes(): number;
  /** Of all its threads since its start; NaN as above. */
  processorSeconds(): number;
  /** Rejects when it ends by itself. */
  readonly failed: Promise<never>;
  /** In order; killed where that takes more than a minute. */
  stop(): Promise<void>;
}

const STOP_LIMIT_MS = 60_000;
const KEPT_LINES = 20;
/** USER_HZ: the same on every Linux that Node runs on. */
const TICKS_PER_SECOND = 100;

export function startWorkerProcess(options: WorkerOptions): WorkerProcess {
  const { brokers, topicPrefix, group, checkpoints, prepared, stages } = options;
  const child = spawn(
    process.execPath,
    [
      ...[
        join(ROOT, 'src', 'main.ts'),
        'worker',
        '--brokers',
        brokers,
        '--topic-prefix',
        topicPrefix,
        '--stages',
        stages,
      ],
      ...['--model', prepared.model, '--registry', prepared.registry, '--rules', BUILT_IN_RULES],
      ...['--checkpoints', checkpoints, '--group', group, '--ops-port', '0'],
    ],
    { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  const owned = new Set<number>();
  const lastLines: string[] = [];
  const take = (line: string) => {
    lastLines.push(line);
    if (lastLines.length > KEPT_LINES) lastLines.shift();
    const { given, partitions } = assignmentOf(line);
    for (const partition of partitions) given ? owned.add(partition) : owned.delete(partition);
  };
  for (const output of [child.stdout, child.stderr]) createInterface({ input: output }).on('line', take);
  let stopping = false;
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const failed = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (!stopping) reject(new Error(`the worker ended with ${signal ?? code}:\n${lastLines.join('\n')}`));
    });
  });
  // Whoever waits for it hears of it; nobody needs to.
  failed.catch(() => undefined);
  return {
    partitions: () => owned.size,
    residentBytes: () => residentBytes(child.pid),
    processorSeconds: () => processorSeconds(child.pid),
    failed,
    async stop() {
      stopping = true;
      const timer = setTimeout(() => child.kill('SIGKILL'), STOP_LIMIT_MS);
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await ended;
      clearTimeout(timer);
    },
  };
}

/** What a line of the worker's log says of its partitions. */
function assignmentOf(line: string): { readonly given: boolean; readonly partitions: readonly number[] } {
  const given = line.includes('"given partitions"');
  if (!given && !line.includes('"gave partitions up"')) return { given, partitions: [] };
  return { given, partitions: (JSON.parse(line) as { partitions: number[] }).partitions };
}

function residentBytes(pid: number | undefined): number {
  try {
    const [, kibibytes] = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
    return Number(kibibytes) * 1024;
  } catch {
    return Number.NaN;
  }
}

function processorSeconds(pid: number | undefined): number {
  try {
    // The name of the program, in parentheses, may have spaces.
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  } catch {
    return Number.NaN;
  }
}
