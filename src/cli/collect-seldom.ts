// Fewer full garbage collections, for processes that decide for days (docs/decisions/0035-fewer-full-collections.md).
//
// A full collection marks the heap on threads beside the event loop, and on two cores decisions wait for them: some 50 ms
// each time. By its own rules V8 begins one whenever memory has grown by a tenth, every two seconds at 1,000 decisions a second.
import { setFlagsFromString } from 'node:v8';

export const COLLECTOR_FLAGS: readonly string[] = [
  // A heap of 75 MB may grow to 300 before it is collected.
  '--heap-growing-percent=300',
  // What outlives the start (a backlog that is read) does not tell where transactions should lie: they die young.
  '--no-allocation-site-pretenuring',
];

/** Both are read whenever they are needed, so they count from now on. */
export function collectSeldom(): void {
  for (const flag of COLLECTOR_FLAGS) setFlagsFromString(flag);
}
