// Records on their way were made with the features that the workers had then; other features need the way to be empty.
import { VersionUnavailableError } from '../versions.ts';
import type { Frame } from './frame.ts';
import type { Topology } from './topology.ts';

/**
 * What only rebuilds a state needs the transaction alone.
 *
 * @throws VersionUnavailableError where it is to be decided: workers with its features can, this one cannot
 */
export function checkLayout(frame: Frame, { layout }: Topology, isSilent: boolean): void {
  if (frame.layout === layout || isSilent) return;
  throw new VersionUnavailableError(
    `a transaction (offset ${frame.origin.offset} of partition ${frame.origin.partition}) is on its way through the stages ` +
      'with other features than this worker computes: let workers with the features that it was begun with decide what ' +
      'is on its way, then change them',
  );
}
