// Every operational error. The place in this list selects an error's stream of random numbers: add new ones at the end.
import { DATA_FAULTS } from './data-quality.ts';
import type { Fault } from './faults.ts';
import { POSTING_FAULTS } from './posting.ts';

export const FAULTS: readonly Fault[] = [...POSTING_FAULTS, ...DATA_FAULTS];
