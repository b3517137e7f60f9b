// Kills the archiving process at moments of its work.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const ARCHIVING = fileURLToPath(new URL('./archiving-process.ts', import.meta.url));

/** @returns the lines that it told before it was killed, so many milliseconds after it was ready */
export async function archiveAndKill(argv: readonly string[], afterMs: number): Promise<string[]> {
  const child = spawn(process.execPath, [ARCHIVING, ...argv], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exit = new Promise((resolve) => child.once('close', resolve));
  let told = '';
  let timer: NodeJS.Timeout | null = null;
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
    if (timer === null && told.includes('open\n')) timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  });
  await exit;
  return told.split('\n').slice(0, -1);
}
