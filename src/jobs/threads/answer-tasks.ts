// The other side of a task thread: answers every task, and says whether the task or the program is to blame where it fails.
import { setPriority } from 'node:os';
import { platform } from 'node:process';
import type { MessagePort } from 'node:worker_threads';
import { InputError } from '../../lib/errors.ts';
import type { TaskOutput } from './task-thread.ts';

const LOW_PRIORITY = 10;

export function answerTasks<Task, Result>(port: MessagePort, perform: (task: Task) => Result | Promise<Result>): void {
  // Linux counts this by thread; elsewhere it would slow down the whole process.
  if (platform === 'linux') setPriority(LOW_PRIORITY);
  port.on('message', async (task: Task) => {
    port.postMessage(await outputOf(perform, task));
  });
}

async function outputOf<Task, Result>(
  perform: (task: Task) => Result | Promise<Result>,
  task: Task,
): Promise<TaskOutput<Result>> {
  try {
    return { kind: 'done', result: await perform(task) };
  } catch (error) {
    const { message } = error as Error;
    if (!(error instanceof InputError)) return { kind: 'failed', code: null, problem: message, hint: '' };
    const { code, hint } = error;
    return { kind: 'failed', code, problem: message.slice(0, message.length - hint.length - 2), hint };
  }
}
