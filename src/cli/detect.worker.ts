// The other thread of `detect`: performs the tasks that it is sent, with the detectors that it began with.
import { parentPort, workerData } from 'node:worker_threads';
import { createTaskPerformer, type Task } from '../jobs/detect/fit-and-score.ts';
import { type AskedDetectors, detectorsAsked } from './detectors-here.ts';

const perform = createTaskPerformer(detectorsAsked(workerData as AskedDetectors));
parentPort?.on('message', (task: Task) => parentPort?.postMessage(perform(task)));
