// A stored model and the stream that it decides, kept between runs: training takes minutes, and a later run with the same
// code wants the same model.
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createFolderObjectStore } from '../../src/adapters/files/folder-object-store.ts';
import { saveModel } from '../../src/registry/model-store.ts';
import { type BenchStreamOptions, encodeTransaction, trainedStream } from '../stream-setup.ts';

export const ROOT: string = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const CACHE = join(ROOT, 'node_modules', '.cache', 'bench-kafka');
const MODEL = 'bench@1';
/** Whatever the model, its rules or the stream depend on. */
const SOURCES = ['domain', 'features', 'models', 'decisions', 'rules', 'simulate', 'training', 'registry', 'jobs']
  .map((room) => `src/${room}`)
  .concat('config/rules', 'bench/stream-setup.ts');

export interface PreparedModel {
  /** Folder of the registry that holds it. */
  readonly registry: string;
  readonly model: string;
  /** One transaction a line, in their order of arrival, as a bank would send them. */
  readonly lines: readonly string[];
}

/** Trains with the built-in rules, or takes what an earlier run of the same code kept. */
export async function preparedModel(options: Omit<BenchStreamOptions, 'rules'>): Promise<PreparedModel> {
  const folder = join(CACHE, keyOf(options));
  if (!existsSync(folder)) await prepare(folder, options);
  const lines = readFileSync(join(folder, 'stream.ndjson'), 'utf8').split('\n').filter(Boolean);
  return { registry: join(folder, 'registry'), model: MODEL, lines };
}

async function prepare(folder: string, options: Omit<BenchStreamOptions, 'rules'>): Promise<void> {
  const scratch = `${folder}.${process.pid}`;
  mkdirSync(scratch, { recursive: true });
  try {
    const { model, transactions } = await trainedStream({ ...options, rules: Number.POSITIVE_INFINITY });
    await saveModel(
      createFolderObjectStore(join(scratch, 'registry')),
      model.id.slice(0, model.id.indexOf('@')),
      model.model,
      model.description,
    );
    const decoder = new TextDecoder();
    const lines = transactions.map((transaction) => `${decoder.decode(encodeTransaction(transaction))}\n`);
    writeFileSync(join(scratch, 'stream.ndjson'), lines.join(''));
    // Whoever is first wins; both have the same model.
    if (!existsSync(folder)) renameSync(scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Of the sources as they are in the folder, committed or not, and the options. */
function keyOf(options: Omit<BenchStreamOptions, 'rules'>): string {
  const hash = createHash('sha256').update(JSON.stringify(options));
  for (const args of [
    ['ls-files', '--stage', '--', ...SOURCES],
    ['diff', '--', ...SOURCES],
  ]) {
    const { status, stdout, stderr } = spawnSync('git', args, { cwd: ROOT, encoding: 'utf8', maxBuffer: 1 << 28 });
    if (status !== 0) throw new Error(`git ${args[0]} failed: ${stderr}`);
    hash.update(stdout);
  }
  return hash.digest('hex').slice(0, 16);
}
