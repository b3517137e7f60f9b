// The rule book: two people, versions that never change, any past day again, and nothing lost or altered unseen.
import { readdirSync, readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readRuleFile } from '../../src/jobs/rules/check-rules.ts';
import { openHistory } from '../../src/registry/history.ts';
import { type Act, openRuleBook, ruleHash } from '../../src/registry/rule-book.ts';
import { ruleBookAt } from '../../src/registry/rule-book-state.ts';
import { printExpression } from '../../src/rules/print-expression.ts';
import { type Rule, ruleVersion } from '../../src/rules/rule.ts';
import { writeRule } from '../../src/rules/write-rule.ts';
import { rulesYaml, type SampleRule } from '../rules/samples.ts';
import { createMemoryStore } from './memory-store.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const act = (by: string, atMs: number, why = 'prueba'): Act => ({ by, why, atMs });
const read = (text: string, path: string) => readRuleFile({ path, text });

function sampleRule(sample: SampleRule = {}): Rule {
  return read(rulesYaml(sample), 'sample.yaml').rules[0].rule;
}

function newBook(store = createMemoryStore()) {
  const book = openRuleBook(store, read);
  const inForce = async (timeMs: number) =>
    (await book.effectiveAt(timeMs)).rules.map(({ rule }) => `${ruleVersion(rule)} ${rule.mode}`);
  return { store, book, inForce };
}

describe('maker and checker', () => {
  it('a rule counts from its approval on, and not before', async () => {
    const { book, inForce } = newBook();
    await book.propose(sampleRule(), act('Ana', 100));
    await book.approve('great-amount@1', null, act('Luis', 200));
    expect(await inForce(199)).toEqual([]);
    expect(await inForce(200)).toEqual(['great-amount@1 live']);
  });

  it.each(['Ana Pérez', 'ana perez', ' ANA  PEREZ '])('who proposed it cannot approve it, also as %j', async (name) => {
    const { book } = newBook();
    await book.propose(sampleRule(), act('Ana Pérez', 100));
    await expect(book.approve('great-amount@1', null, act(name, 200))).rejects.toThrow('was proposed by Ana Pérez');
  });

  it('what is approved is what was read', async () => {
    const { book } = newBook();
    await book.propose(sampleRule(), act('Ana', 100));
    const other = ruleHash(sampleRule({ when: 'amount > 9000' }));
    await expect(book.approve('great-amount@1', other, act('Luis', 200))).rejects.toThrow(
      'is not the text that you read',
    );
    await book.approve('great-amount@1', ruleHash(sampleRule()), act('Luis', 200));
  });

  it('a text that was changed where it is kept is neither approved nor used', async () => {
    const { store, book } = newBook();
    await book.propose(sampleRule(), act('Ana', 100));
    const key = [...store.objects.keys()].find((each) => each.startsWith('rules/texts/'))!;
    const text = new TextDecoder().decode(store.objects.get(key));
    store.objects.set(key, new TextEncoder().encode(text.replace('3000', '300000')));
    await expect(book.approve('great-amount@1', null, act('Luis', 200))).rejects.toThrow('is not what was proposed');
    store.objects.set(key, new TextEncoder().encode(text));
    await book.approve('great-amount@1', null, act('Luis', 200));
    store.objects.delete(key);
    await expect(book.effectiveAt(300)).rejects.toThrow('its text is missing');
  });

  it('a version is proposed once, approved once, and not after it was rejected', async () => {
    const { book } = newBook();
    await book.propose(sampleRule(), act('Ana', 1));
    await expect(book.propose(sampleRule({ when: 'amount > 1' }), act('Ana', 2))).rejects.toThrow(
      'versions never change',
    );
    await book.approve('great-amount@1', null, act('Luis', 3));
    await expect(book.approve('great-amount@1', null, act('Eva', 4))).rejects.toThrow('is live, approved by Luis');
    await book.propose(sampleRule({ version: 2 }), act('Ana', 5));
    await book.reject('great-amount@2', act('Luis', 6));
    await expect(book.approve('great-amount@2', null, act('Eva', 7))).rejects.toThrow('is rejected');
    await expect(book.approve('other@1', null, act('Eva', 8))).rejects.toThrow(
      "no version 'other@1'. Nothing is waiting",
    );
  });

  it('an older proposal does not come after a newer version in force', async () => {
    const { book } = newBook();
    await book.propose(sampleRule(), act('Ana', 1));
    await book.propose(sampleRule({ version: 2 }), act('Ana', 2));
    await book.approve('great-amount@2', null, act('Luis', 3));
    await expect(book.approve('great-amount@1', null, act('Luis', 4))).rejects.toThrow('great-amount@2 is in force');
  });
});

describe('what is in force', () => {
  it('at any time of the past: superseded, rolled back, retired', async () => {
    const { book, inForce } = newBook();
    await book.propose(sampleRule(), act('Ana', 1));
    await book.approve('great-amount@1', null, act('Luis', 2));
    await book.propose(sampleRule({ version: 2, mode: 'shadow' }), act('Ana', 3));
    await book.approve('great-amount@2', null, act('Luis', 4));
    await book.rollback('great-amount', null, act('Eva', 5, 'demasiadas alertas'));
    await book.rollback('great-amount', 2, act('Eva', 6, 'era otra causa'));
    await book.retire('great-amount', act('Eva', 7, 'ya no sirve'));
    await book.rollback('great-amount', 1, act('Eva', 8, 'sí sirve'));
    const days = [1, 2, 3, 4, 5, 6, 7, 8];
    expect(await Promise.all(days.map(async (day) => (await inForce(day)).join()))).toEqual([
      ...['', 'great-amount@1 live', 'great-amount@1 live', 'great-amount@2 shadow', 'great-amount@1 live'],
      ...['great-amount@2 shadow', '', 'great-amount@1 live'],
    ]);
    await expect(book.rollback('great-amount', 7, act('Eva', 9))).rejects.toThrow('does not exist');
  });

  it('a rule that is off stays, since others may ask about it', async () => {
    const { book, inForce } = newBook();
    await book.propose(sampleRule({ mode: 'off' }), act('Ana', 1));
    await book.approve('great-amount@1', null, act('Luis', 2));
    await book.snooze('great-amount', DAY_MS, act('Eva', 3));
    expect(await inForce(3)).toEqual(['great-amount@1 off']);
  });

  it('a rule without another version cannot be rolled back', async () => {
    const { book } = newBook();
    await book.propose(sampleRule(), act('Ana', 1));
    await book.approve('great-amount@1', null, act('Luis', 2));
    await expect(book.rollback('great-amount', null, act('Eva', 3))).rejects.toThrow('had no other version');
  });

  it('a snoozed rule fires without a say until then', async () => {
    const { book, inForce } = newBook();
    await book.propose(sampleRule(), act('Ana', 1));
    await book.approve('great-amount@1', null, act('Luis', 2));
    await expect(book.snooze('great-amount', DAY_MS, act('Eva', 3, ''))).rejects.toThrow('not said why');
    await expect(book.snooze('great-amount', 31 * DAY_MS, act('Eva', 3))).rejects.toThrow('more than 30 days');
    await expect(book.snooze('other', DAY_MS, act('Eva', 3))).rejects.toThrow("No version of 'other'");
    await book.snooze('great-amount', DAY_MS, act('Eva', 3));
    const modes = await Promise.all([2, 3, DAY_MS - 1, DAY_MS].map(async (timeMs) => (await inForce(timeMs)).join()));
    expect(modes.map((each) => each.split(' ')[1])).toEqual(['live', 'shadow', 'shadow', 'live']);
  });

  it('an override is told to the verdict while it lasts', async () => {
    const { book } = newBook();
    await book.propose(sampleRule(), act('Ana', 1));
    await book.approve('great-amount@1', null, act('Luis', 2));
    const override = { ruleId: 'great-amount', field: 'payerId', value: 'C1', untilMs: HOUR_MS } as const;
    await book.override(override, act('Eva', 3, 'llamada al cliente'));
    expect((await book.effectiveAt(2)).overrides).toEqual([]);
    expect((await book.effectiveAt(3)).overrides).toEqual([{ ...override, reason: 'llamada al cliente' }]);
    expect((await book.effectiveAt(HOUR_MS)).overrides).toEqual([]);
  });

  it('a snooze and an override end before their time, by whom and why is kept, and the past stays as it was', async () => {
    const { book, inForce } = newBook();
    await book.propose(sampleRule(), act('Ana', 1));
    await book.approve('great-amount@1', null, act('Luis', 2));
    const entity = { ruleId: 'great-amount', field: 'payerId', value: 'C1' } as const;
    await expect(book.endSnooze('great-amount', act('Eva', 3))).rejects.toThrow("'great-amount' is not snoozed");
    await expect(book.endOverride(entity, act('Eva', 3))).rejects.toThrow('no override for payerId C1');
    await book.snooze('great-amount', DAY_MS, act('Eva', 4));
    await book.override({ ...entity, untilMs: DAY_MS }, act('Eva', 5));
    await book.override({ ...entity, untilMs: 2 * DAY_MS }, act('Eva', 6));
    await book.override({ ...entity, value: 'C2', untilMs: DAY_MS }, act('Eva', 7));
    await expect(book.endSnooze('great-amount', act('Eva', 8, ' '))).rejects.toThrow('not said why');
    await book.endSnooze('great-amount', act('Rosa', 9, 'pasó la campaña'));
    await book.endOverride(entity, act('Rosa', 10, 'era fraude'));
    const overriddenAt = async (timeMs: number) =>
      (await book.effectiveAt(timeMs)).overrides.map(({ value }) => value).join();
    expect(await Promise.all([8, 9, DAY_MS].map(inForce))).toEqual([
      ['great-amount@1 shadow'],
      ['great-amount@1 live'],
      ['great-amount@1 live'],
    ]);
    expect(await Promise.all([9, 10, DAY_MS].map(overriddenAt))).toEqual(['C1,C1,C2', 'C2', '']);
    expect((await book.history()).slice(-2)).toMatchObject([
      { by: 'Rosa', why: 'pasó la campaña', event: { kind: 'snooze-ended', id: 'great-amount' } },
      { by: 'Rosa', why: 'era fraude', event: { kind: 'override-ended', id: 'great-amount', value: 'C1' } },
    ]);
    // One that has ended by itself is not ended again.
    await expect(book.endOverride({ ...entity, value: 'C2' }, act('Rosa', DAY_MS))).rejects.toThrow('no override');
    await book.snooze('great-amount', 3 * DAY_MS, act('Eva', DAY_MS));
    expect(await inForce(2 * DAY_MS)).toEqual(['great-amount@1 shadow']);
  });

  it('is a function of the entries up to a time: later ones change nothing', async () => {
    const ids = ['a', 'b'];
    const step = fc.record({
      kind: fc.constantFrom('propose', 'approve', 'retire', 'rollback', 'snooze', 'endSnooze', 'reject'),
      id: fc.constantFrom(...ids),
      version: fc.integer({ min: 1, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 15 }), async (steps) => {
        const { book } = newBook();
        const states: string[] = [];
        for (const [index, { kind, id, version }] of steps.entries()) {
          const who = act(kind === 'propose' ? 'Ana' : 'Luis', index);
          const name = `${id}@${version}`;
          const change = {
            propose: () => book.propose(sampleRule({ id, version }), who),
            approve: () => book.approve(name, null, who),
            reject: () => book.reject(name, who),
            retire: () => book.retire(id, who),
            rollback: () => book.rollback(id, null, who),
            snooze: () => book.snooze(id, index + 5, who),
            endSnooze: () => book.endSnooze(id, who),
          }[kind]!;
          await change().catch((error: Error) => expect(error.name).toBe('InputError'));
          states.push(JSON.stringify(await book.effectiveAt(index)));
          const inForce = (await book.effectiveAt(index)).rules.map(({ rule }) => rule.id);
          expect(new Set(inForce).size).toBe(inForce.length);
        }
        for (const [index, state] of states.entries()) {
          expect(JSON.stringify(await book.effectiveAt(index))).toBe(state);
        }
      }),
      { numRuns: 40 },
    );
  });
});

it('a rule that is written and read again is the same rule', () => {
  for (const name of readdirSync('config/rules')) {
    const { rules } = read(readFileSync(`config/rules/${name}`, 'utf8'), name);
    for (const { rule } of rules) {
      const [again] = read(writeRule(rule), name).rules;
      expect({ ...again.rule, when: printExpression(again.rule.when) }).toEqual({
        ...rule,
        when: printExpression(rule.when),
      });
      expect(ruleHash(again.rule)).toBe(ruleHash(rule));
    }
  }
  const dated = read(`${rulesYaml({})}    from: 2026-03-01\n    until: 2026-04-01\n    notes: por un mes\n`, 'dated')
    .rules[0].rule;
  expect(read(writeRule(dated), 'again').rules[0].rule).toEqual(dated);
});

describe('the history', () => {
  it('any altered, removed or exchanged entry is noticed', async () => {
    const { store, book } = newBook();
    await book.propose(sampleRule(), act('Ana', 1));
    await book.propose(sampleRule({ id: 'other' }), act('Ana', 2));
    await book.approve('great-amount@1', null, act('Luis', 3));
    const [first, second] = [...store.objects.keys()].filter((key) => key.startsWith('rules/history/')).sort();
    const original = new Map(store.objects);
    const { store: forged, book: forgery } = newBook();
    await forgery.propose(sampleRule(), act('Eva', 1));
    const damages: ((objects: Map<string, Uint8Array>) => void)[] = [
      (objects) => objects.delete(first),
      (objects) => objects.delete(second),
      (objects) => objects.set(first, original.get(second)!),
      (objects) => objects.set(first, forged.objects.get(first)!),
      (objects) => {
        const text = new TextDecoder().decode(original.get(second)).replace('Ana', 'Eva');
        objects.set(second, new TextEncoder().encode(text));
      },
      (objects) => objects.set(second, original.get(second)!.subarray(0, 20)),
    ];
    for (const damage of damages) {
      const objects = new Map(original);
      damage(objects);
      await expect(newBook(createMemoryStore(objects)).book.history()).rejects.toThrow(/rules\/history\/0000000[12]/);
    }
    expect(ruleBookAt(await book.history(), 9).versions).toHaveLength(2);
  });

  it('keeps the order of entries though clocks differ', async () => {
    const { book } = newBook();
    await book.propose(sampleRule(), act('Ana', 500));
    await book.approve('great-amount@1', null, act('Luis', 400));
    expect((await book.history()).map(({ atMs }) => atMs)).toEqual([500, 500]);
  });

  it('loses nothing when many write at once, and each judges by what came before', async () => {
    const store = createMemoryStore();
    // Every answer of the store comes at another moment.
    let turn = 0;
    const slow = <T>(value: Promise<T>) =>
      new Promise<T>((resolve) => setTimeout(() => resolve(value), (turn++ * 7) % 5));
    const get = (key: string) => slow(store.get(key));
    const putNew = (key: string, bytes: Uint8Array) => slow(store.putNew(key, bytes));
    const write = (by: number) =>
      openHistory<{ readonly seen: number }>({ ...store, get, putNew }, 'log').append(
        (entries) => ({ by: `writer ${by}`, why: '', event: { seen: entries.length } }),
        by,
      );
    await Promise.all(Array.from({ length: 20 }, (_, by) => write(by)));
    const entries = await openHistory<{ readonly seen: number }>(store, 'log').read();
    expect(new Set(entries.map(({ by }) => by)).size).toBe(20);
    expect(entries.map(({ event }) => event.seen)).toEqual(entries.map((_, index) => index));
  });

  it('of two approvals at once one is refused', async () => {
    const { book } = newBook();
    await book.propose(sampleRule(), act('Ana', 1));
    const approvals = ['Luis', 'Eva'].map((by) => book.approve('great-amount@1', null, act(by, 2)));
    const outcomes = await Promise.allSettled(approvals);
    expect(outcomes.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await book.history()).toHaveLength(2);
  });
});
