// Decides when a fraud case or a look-alike begins, so that each typology has its share of the rows whatever the size
// of the population.
//
// Every recipe has a credit of rows that grows day by day. A case starts when the credit covers it and its size is what
// the credit affords within the recipe's own range; so small runs have small cases and large runs have full ones.
import type { Prng } from '../lib/prng.ts';
import { drawUniform } from './sampling.ts';
import { Stage } from './stage.ts';
import type { World } from './world.ts';

export interface Recipe {
  readonly typology: string;
  /** Relative share of the fraudulent rows. */
  readonly share: number;
  /** Rows of the smallest and the largest case. */
  readonly rows: readonly [smallest: number, largest: number];
  /** Stages a case of about `rows` rows. @returns rows staged under this typology */
  launch(stage: Stage, rows: number): number;
  /** Stages genuine events that look alike; null where habits already bring them. */
  readonly imitate: ((stage: Stage) => void) | null;
  /** Look-alike cases ÷ rows that the typology is due, 0 for none. */
  readonly imitations: number;
}

/** Rows that a person makes on an average day; a measured property of habits and routines. */
export const ROWS_PER_PERSON_DAY = 1.74;
const IMITATION_RATE = 0.006;
/** A recipe saves for at most this many days for a large case. */
const SAVING_DAYS = 25;

interface Account {
  credit: number;
  wanted: number;
  imitationCredit: number;
}

export class Campaigns {
  readonly #world: World;
  readonly #recipes: readonly Recipe[];
  readonly #accounts: Account[];
  readonly #dailyRows: number;
  readonly #imitationRows: number;
  readonly #totalShare: number;
  readonly #mules: { person: number; untilMs: number }[] = [];

  constructor(world: World, recipes: readonly Recipe[], fraudRate: number, stream: Prng) {
    this.#world = world;
    this.#recipes = recipes;
    this.#dailyRows = world.population.size * ROWS_PER_PERSON_DAY * fraudRate;
    this.#imitationRows = world.population.size * ROWS_PER_PERSON_DAY * IMITATION_RATE;
    this.#totalShare = recipes.reduce((sum, recipe) => sum + recipe.share, 0);
    this.#accounts = recipes.map((recipe, n) => {
      const prng = stream.fork(n);
      return {
        credit: drawUniform(prng, 0.2, 0.9) * recipe.rows[0],
        wanted: recipe.rows[0],
        imitationCredit: prng.nextFloat(),
      };
    });
  }

  planDay(day: number, stream: Prng): void {
    this.#retireMules(day);
    for (let n = 0; n < this.#recipes.length; n++) {
      const recipe = this.#recipes[n]!;
      const account = this.#accounts[n]!;
      const daily = (this.#dailyRows * recipe.share) / this.#totalShare;
      const prng = stream.fork(n);
      account.credit += daily;
      for (let started = 0; daily > 0 && account.credit >= account.wanted && started < 200; started++) {
        const stage = this.stage(prng.fork(started), day);
        account.credit -= recipe.launch(stage, Math.floor(account.wanted));
        account.wanted = this.#nextSize(recipe, daily, prng);
      }
      if (recipe.imitate === null) continue;
      account.imitationCredit += ((this.#imitationRows * recipe.share) / this.#totalShare) * recipe.imitations;
      for (; account.imitationCredit >= 1; account.imitationCredit--) {
        recipe.imitate(this.stage(prng.fork(1000 + Math.floor(account.imitationCredit)), day));
      }
    }
  }

  #nextSize(recipe: Recipe, daily: number, prng: Prng): number {
    const [smallest, largest] = recipe.rows;
    const affordable = Math.max(smallest, Math.min(largest, daily * SAVING_DAYS));
    return Math.floor(drawUniform(prng, smallest, affordable + 1));
  }

  /** A stage for an episode that starts on a day. */
  stage(prng: Prng, day: number): Stage {
    return new Stage(this.#world, prng, day, this.#mules, (typology, rows) => {
      const index = this.#recipes.findIndex((recipe) => recipe.typology === typology);
      if (index >= 0) this.#accounts[index]!.credit -= rows;
    });
  }

  #retireMules(day: number): void {
    const now = day * 86_400_000;
    const working = this.#mules.filter((mule) => mule.untilMs > now);
    this.#mules.length = 0;
    this.#mules.push(...working);
  }
}
