// The simulated world as the day's planners and the episodes see it.
import type { Prng } from '../lib/prng.ts';
import type { Commerce } from './commerce.ts';
import { departmentOf, PLACES } from './places.ts';
import type { EventQueue } from './plan.ts';
import type { Population } from './population.ts';

export interface World {
  readonly population: Population;
  readonly commerce: Commerce;
  readonly queue: EventQueue;
  readonly root: Prng;
  /** First and one past the last simulated day (Lima day numbers). */
  readonly startDay: number;
  readonly endDay: number;
  /** Last day of a person's journey and where to, 0 for none. */
  readonly travelUntil: Int32Array;
  readonly travelPlace: Uint8Array;
  /** Soles per dollar today. */
  exchangeRate: number;
}

/** Streams of random numbers, so that a change in one part does not move the others. */
export const STREAM = {
  population: 1,
  commerce: 2,
  habits: 3,
  routines: 4,
  rendering: 5,
  rate: 6,
  campaigns: 7,
  errors: 8,
  episodes: 9,
} as const;

/** Index of the place where a person is on a day: the journey's, else home. */
export function placeOn(world: World, person: number, day: number): number {
  return world.travelUntil[person]! >= day ? world.travelPlace[person]! : world.population.place[person]!;
}

export function departmentOn(world: World, person: number, day: number): number {
  return departmentOf(PLACES[placeOn(world, person, day)]!);
}
