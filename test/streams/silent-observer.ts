// For tests that do not ask what a worker does.
import type { WorkerObserver } from '../../src/pipeline/stream/worker-options.ts';

const nothing = () => undefined;

export const silentObserver: WorkerObserver = {
  ...{
    batch: nothing,
    committed: nothing,
    queued: nothing,
    leftOut: nothing,
    restored: nothing,
    checkpointed: nothing,
  },
  ...{ changed: nothing, troubled: nothing, assigned: nothing, revoked: nothing, lagging: nothing },
};
