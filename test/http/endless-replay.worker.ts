// In place of a replay's thread, in tests: one that never ends and never listens, unless it is asked for seed 2; it counts for as
// long as it lives.
import { parentPort, workerData } from 'node:worker_threads';

const { place, task } = workerData as {
  readonly place: SharedArrayBuffer;
  readonly task: { readonly request: { readonly seed: number } };
};
const turns = new Int32Array(place);

if (task.request.seed === 2) parentPort?.postMessage({ kind: 'done', result: {} });
else for (;;) Atomics.add(turns, 0, 1);
