// The program: reads the command line and runs the command.
import { runCommandLine } from './cli/run.ts';

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
