// The other thread of `detect`: performs the tasks that it is sent, with the settings that it began with.
import { parentPort, workerData } from 'node:worker_threads';
import { createTaskPerformer, type Task } from '../jobs/detect/fit-and-score.ts';
import type { DetectorSettings } from '../models/detectors.ts';
import { detectorsHere } from './detectors-here.ts';

const perform = createTaskPerformer(detectorsHere(workerData as Pick<DetectorSettings, 'network'>));
parentPort?.on('message', (task: Task) => parentPort?.postMessage(perform(task)));
