// A task thread with a thread that does what it is told: the loop here turns meanwhile, limits hold, and the next task works.
import { afterEach, expect, it } from 'vitest';
import { InputError } from '../../lib/errors.ts';
import { TaskThread, type TaskThreadOptions } from './task-thread.ts';

type Task =
  | { readonly does: 'spin'; readonly ms: number }
  | { readonly does: 'refuse' | 'throw' | 'end' | 'fill' | 'number' };

/** Absolute: a module of text has no place of its own. */
const THREAD = `
import { parentPort } from 'node:worker_threads';
import { answerTasks } from '${new URL('./answer-tasks.ts', import.meta.url)}';
import { InputError } from '${new URL('../../lib/errors.ts', import.meta.url)}';
let tasks = 0;
answerTasks(parentPort, ({ does, ms }) => {
  tasks++;
  if (does === 'refuse') throw new InputError('WRONG', 'It is wrong. Really', 'Mend it');
  if (does === 'throw') throw new TypeError('a bug');
  if (does === 'end') process.exit(1);
  if (does === 'fill') for (const all = []; ; ) all.push(new Array(100_000).fill(tasks));
  if (does === 'spin') for (const end = performance.now() + ms; performance.now() < end; );
  return tasks;
});
`;

const threads: TaskThread<Task, number>[] = [];
afterEach(async () => {
  for (const thread of threads.splice(0)) await thread.stop();
});

function start(more: Partial<TaskThreadOptions> = {}): TaskThread<Task, number> {
  const thread = new TaskThread<Task, number>({
    entry: { module: new URL(`data:text/javascript,${encodeURIComponent(THREAD)}`), data: null },
    ...{ mostWaiting: 2, deadlineMs: 20_000, memoryMb: 64 },
    full: () => new InputError('FULL', 'There is no room', 'Wait'),
    tooMuch: () => new InputError('TOO_MUCH', 'It is too much', 'Send less'),
    ...more,
  });
  threads.push(thread);
  return thread;
}

it('the event loop here turns while the thread is busy', async () => {
  const thread = start();
  await thread.perform({ does: 'number' });
  let turns = 0;
  let isOver = false;
  const done = thread.perform({ does: 'spin', ms: 400 }).finally(() => {
    isOver = true;
  });
  while (!isOver) {
    turns++;
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(await done).toBe(2);
  expect(turns).toBeGreaterThan(100);
});

it('tasks are performed one at a time and in turn, and who comes when the queue is full is told so', async () => {
  const thread = start();
  const running = [1, 2, 3].map(() => thread.perform({ does: 'number' }));
  await expect(thread.perform({ does: 'number' })).rejects.toMatchObject({ code: 'FULL' });
  expect(await Promise.all(running)).toEqual([1, 2, 3]);
  expect(await thread.perform({ does: 'number' })).toBe(4);
});

it('a task beyond its deadline is told so, and the next one has a new thread', async () => {
  const thread = start({ deadlineMs: 3_000 });
  expect(await thread.perform({ does: 'number' })).toBe(1);
  const late = thread.perform({ does: 'spin', ms: 3_600_000 });
  const next = thread.perform({ does: 'number' });
  await expect(late).rejects.toMatchObject({ code: 'TOO_MUCH', message: 'It is too much. Send less' });
  expect(await next).toBe(1);
});

it('what a task says of itself comes through; a bug is none of its words; both leave the thread as it is', async () => {
  const thread = start();
  const refused = thread.perform({ does: 'refuse' });
  await expect(refused).rejects.toThrow(InputError);
  await expect(refused).rejects.toMatchObject({
    code: 'WRONG',
    message: 'It is wrong. Really. Mend it',
    hint: 'Mend it',
  });
  await expect(thread.perform({ does: 'throw' })).rejects.not.toThrow(InputError);
  expect(await thread.perform({ does: 'number' })).toBe(3);
});

it('a thread that ends, or that a task fills, is replaced', async () => {
  const thread = start();
  await expect(thread.perform({ does: 'end' })).rejects.toThrow('ended by itself');
  expect(await thread.perform({ does: 'number' })).toBe(1);
  await expect(thread.perform({ does: 'fill' })).rejects.toMatchObject({ code: 'TOO_MUCH' });
  expect(await thread.perform({ does: 'number' })).toBe(1);
});

it('stopping ends what is under way and what waits', async () => {
  const thread = start();
  const both = [thread.perform({ does: 'spin', ms: 3_600_000 }), thread.perform({ does: 'number' })];
  const settled = Promise.allSettled(both);
  await thread.stop();
  expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  await expect(thread.perform({ does: 'number' })).rejects.toThrow('stopped');
});
