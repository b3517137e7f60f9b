// The other thread of `detect`: performs the tasks that it is sent.
import { parentPort } from 'node:worker_threads';
import { createTaskPerformer, type Task } from '../jobs/detect/fit-and-score.ts';
import { detectorsHere } from './detectors-here.ts';

const perform = createTaskPerformer(detectorsHere());
parentPort?.on('message', (task: Task) => parentPort?.postMessage(perform(task)));
