// The thread in which the service has rules checked: drafts, proposals, and what would be in force with them.
import { parentPort, workerData } from 'node:worker_threads';
import { type CheckTask, type CheckThreadData, performCheck } from '../jobs/rules/check-beside.ts';
import { answerTasks } from '../jobs/threads/answer-tasks.ts';

if (parentPort !== null) {
  answerTasks(parentPort, (task: CheckTask) => performCheck(workerData as CheckThreadData, task));
}
