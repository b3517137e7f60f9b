// A worker's process as the simulation sees it: everything that the worker asks of the world passes here, takes time, and
// may be the last thing it does. A dead process never gets an answer; what it had asked for may have happened or not.
import type { MemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { StreamUnavailableError } from '../../src/lib/errors.ts';
import type { Prng } from '../../src/lib/prng.ts';
import type { FittedDetector } from '../../src/models/detector.ts';
import type { ObjectStore, StreamConsumer, StreamLog } from '../../src/ports.ts';
import type { Fault } from './scenario.ts';
import type { Scheduler } from './scheduler.ts';

/** What all processes share. */
export interface World {
  readonly scheduler: Scheduler;
  readonly prng: Prng;
  readonly log: MemoryLog;
  readonly store: ObjectStore;
  /** While there is trouble, and of this kind. */
  strikes(fault: Fault, share: number): boolean;
  tell(who: string, what: string): void;
}

const MOST_STEPS_TO_DEATH = 600;
const MOST_SESSION_MS = 4000;
export const SLOWEST_STEP_MS = 8000;
const HOUR_MS = 3_600_000;
const SLOW_SCORE_MS = 1000;

export class SimulatedProcess {
  readonly name: string;
  readonly log: StreamLog;
  readonly store: ObjectStore;
  readonly #world: World;
  readonly #members = new Set<StreamConsumer>();
  readonly #never = new Promise<never>(() => undefined);
  #stepsLeft: number;
  #skewMs = 0;
  #isDead = false;
  readonly #onDeath: () => void;

  constructor(name: string, world: World, onDeath: () => void) {
    this.name = name;
    this.#world = world;
    this.#onDeath = onDeath;
    this.#stepsLeft = world.strikes('crashes', 0.9) ? 1 + world.prng.nextBelow(MOST_STEPS_TO_DEATH) : Infinity;
    this.log = this.#throughLog();
    this.store = this.#throughStore();
  }

  get isDead(): boolean {
    return this.#isDead;
  }

  /** Its clock, which may be wrong. */
  readonly now = (): number => {
    const { prng, scheduler } = this.#world;
    if (this.#world.strikes('clock-jumps', 0.002)) {
      this.#skewMs = Math.floor((prng.nextFloat() * 12 - 4) * HOUR_MS);
      this.#world.tell(this.name, `its clock jumps to ${this.#skewMs} ms`);
    }
    return scheduler.nowMs + this.#skewMs;
  };

  readonly sleep = async (ms: number): Promise<void> => {
    await this.#world.scheduler.wait(ms);
    await this.step('wakes');
  };

  /** A detector as it is in this process: it may take long, by this process's clock, or fail. */
  readonly throughTrouble = (detector: FittedDetector): FittedDetector => ({
    ...detector,
    score: (matrix) => {
      if (this.#world.strikes('slow-detectors', 0.1)) this.#skewMs += this.#world.prng.nextBelow(SLOW_SCORE_MS);
      if (this.#world.strikes('failing-detectors', 0.05)) throw new Error('the detector is out of order');
      return detector.score(matrix);
    },
  });

  /** Something that takes time, and after which it may be dead, or held for dead. */
  async step(what: string): Promise<void> {
    const { scheduler, prng } = this.#world;
    const isSlow = this.#world.strikes('slow-steps', 0.01);
    await scheduler.wait(isSlow ? prng.nextBelow(SLOWEST_STEP_MS) : prng.nextBelow(6));
    if (!this.#isDead && --this.#stepsLeft <= 0) this.#die(what);
    if (this.#isDead) await this.#never;
    if (this.#members.size > 0 && this.#world.strikes('zombies', 0.005)) {
      this.#world.tell(this.name, `held for dead: ${what}`);
      for (const member of this.#members) this.#world.log.expel(member);
    }
  }

  #die(what: string): void {
    const { scheduler, prng, log, tell } = this.#world;
    // A world without trouble any more lets it live.
    if (!this.#world.strikes('crashes', 1)) {
      this.#stepsLeft = Infinity;
      return;
    }
    this.#isDead = true;
    tell(this.name, `dies: ${what}`);
    void scheduler.wait(prng.nextBelow(MOST_SESSION_MS)).then(() => {
      for (const member of this.#members) log.expel(member);
    });
    this.#onDeath();
  }

  async #around<T>(what: string, ask: () => Promise<T>): Promise<T> {
    const lost = (when: string) => new StreamUnavailableError(`no answer ${when} ${what}`);
    await this.step(`before ${what}`);
    if (this.#world.strikes('unavailable', 0.004)) throw lost('before');
    const answer = await ask();
    await this.step(`after ${what}`);
    if (this.#world.strikes('unavailable', 0.004)) throw lost('after');
    return answer;
  }

  #throughLog(): StreamLog {
    const { log } = this.#world;
    return {
      topics: () => this.#around('topics', () => log.topics()),
      createTopics: (wanted) => this.#around('createTopics', () => log.createTopics(wanted)),
      append: (records) => this.#around('append', () => log.append(records)),
      read: (from, most, waitMs) => this.#around('read', () => log.read(from, most, waitMs)),
      tail: (topics) => this.#around('tail', () => log.tail(topics)),
      bounds: (topic) => this.#around('bounds', () => log.bounds(topic)),
      groupPositions: (group, topic, isSettled) =>
        this.#around('groupPositions', () => log.groupPositions(group, topic, isSettled)),
      close: async () => undefined,
      join: async (options) => {
        let member: StreamConsumer | null = null;
        const join = async () => {
          member = await log.join(options);
          this.#members.add(member);
          return this.#throughConsumer(member);
        };
        try {
          return await this.#around('join', join);
        } catch (error) {
          // Nobody knows of that membership, so nobody keeps it alive.
          if (member !== null) log.expel(member);
          throw error;
        }
      },
    };
  }

  #throughConsumer(consumer: StreamConsumer): StreamConsumer {
    return {
      poll: async (most, maxWaitMs) => {
        // Waiting is the process's own: one that died while it waited must not ask for partitions afterwards.
        const poll = () => this.#around('poll', () => consumer.poll(most, 0));
        const batches = await poll();
        if (batches.length > 0) return batches;
        await this.sleep(maxWaitMs);
        return await poll();
      },
      commit: async (outputs, positions) => {
        await this.step('before commit');
        await consumer.commit(outputs, positions);
        await this.step('after commit');
      },
      heldBytes: () => consumer.heldBytes(),
      ends: () => this.#around('ends', () => consumer.ends()),
      close: async () => {
        await this.step('before close');
        await consumer.close();
        this.#members.delete(consumer);
        await this.step('after close');
      },
    };
  }

  #throughStore(): ObjectStore {
    const { store } = this.#world;
    const around = async <T>(what: string, ask: () => Promise<T>): Promise<T> => {
      await this.step(`before ${what}`);
      if (this.#world.strikes('unavailable', 0.002)) throw new Error(`EIO: ${what}`);
      const answer = await ask();
      await this.step(`after ${what}`);
      return answer;
    };
    return {
      put: (key, value) => around(`put ${key}`, () => store.put(key, value)),
      putNew: (key, value) => around(`put ${key}`, () => store.putNew(key, value)),
      get: (key) => around(`get ${key}`, () => store.get(key)),
      list: (prefix) => around(`list ${prefix}`, () => store.list(prefix)),
      remove: (key) => around(`remove ${key}`, () => store.remove(key)),
    };
  }
}
