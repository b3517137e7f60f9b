// The program: reads the command line and runs the command.
//
// What Node makes of the sources is kept between runs, in the user's own cache: that is half of the time that starting takes.
import { enableCompileCache } from 'node:module';
import { join } from 'node:path';
import { userCache } from './cli/user-cache.ts';

const cache = userCache();
if (cache !== null) enableCompileCache(join(cache, 'compiled'));
// Not above: what is imported there is compiled before anything runs.
const { runCommandLine } = await import('./cli/run.ts');

// A reader that stops early (`centinela … | head`) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

process.exitCode = await runCommandLine(process.argv.slice(2), {
  out: (text) => process.stdout.write(text),
  log: (text) => process.stderr.write(text),
  terminal: process.stderr.isTTY === true,
  nowMs: () => Date.now(),
});
