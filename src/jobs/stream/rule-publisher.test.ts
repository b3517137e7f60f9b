// The topic of changes follows the book, whatever happens between a change and its sending.
import { beforeEach, describe, expect, it } from 'vitest';
import { createMemoryStore } from '../../../test/registry/memory-store.ts';
import { rulesYaml, type SampleRule } from '../../../test/rules/samples.ts';
import { createMemoryLog } from '../../adapters/memory/memory-log.ts';
import type { ControlRecord } from '../../domain/stream-records.ts';
import { topicNames, topicSettings } from '../../pipeline/stream/topics.ts';
import type { StreamLog } from '../../ports.ts';
import { openListBook } from '../../registry/list-book.ts';
import { openRuleBook } from '../../registry/rule-book.ts';
import { readRuleFile } from '../rules/check-rules.ts';
import { withFileRules } from '../rules/file-rules.ts';
import { RulePublisher } from './rule-publisher.ts';

const DAY_MS = 86_400_000;
const START_MS = Date.UTC(2026, 2, 2);
const topics = topicNames();
const act = (by: string) => ({ by, why: 'prueba', atMs: nowMs });
const ruleOf = (sample: SampleRule) => readRuleFile({ path: 'x', text: rulesYaml(sample) }).rules[0];

let nowMs = START_MS;
let log: StreamLog;
let store: ReturnType<typeof createMemoryStore>;

beforeEach(async () => {
  nowMs = START_MS;
  store = createMemoryStore();
  log = createMemoryLog({ now: () => nowMs, sleep: () => Promise.resolve(), maxRecords: 1000 });
  await log.createTopics(topicSettings(topics, 1, 1));
});

/** A process: what one knows of what was sent ends with it. */
function newProcess() {
  const files = [ruleOf({ id: 'of-a-file', when: 'amount > 1' })];
  const rules = withFileRules(
    openRuleBook(store, (text, path) => readRuleFile({ path, text }), true),
    files,
  );
  const lists = openListBook(store, true);
  const publisher = new RulePublisher({ log, topic: topics.control, rules, lists, nowMs: () => nowMs });
  const put = async (sample: SampleRule) => {
    const { rule } = ruleOf(sample);
    await rules.propose(rule, act('ana'));
    await rules.approve(`${rule.id}@${rule.version}`, null, act('luis'));
  };
  return { rules, lists, publisher, put };
}

async function sent(): Promise<ControlRecord[]> {
  const records = await log.read({ topic: topics.control, partition: 0, offset: 0 }, 1000, 0);
  return records.map(({ value }) => JSON.parse(new TextDecoder().decode(value!)) as ControlRecord);
}

const pathsOf = ({ rules = [] }: ControlRecord) => rules.map(({ path }) => path);

describe('what is sent', () => {
  it('is nothing while nobody has written into the book: the rules of files decide', async () => {
    await newProcess().publisher.publish();
    expect(await sent()).toEqual([]);
  });

  it('is the whole set, once, also by a process that begins anew', async () => {
    const { publisher, put } = newProcess();
    await put({ id: 'great-amount' });
    await Promise.all([publisher.publish(), publisher.publish()]);
    await newProcess().publisher.publish();
    expect((await sent()).map(pathsOf)).toEqual([['of-a-file@1', 'great-amount@1']]);
  });

  it('comes although the process that changed the book did not live to send it', async () => {
    await newProcess().put({ id: 'great-amount' });
    await newProcess().publisher.publish();
    expect((await sent()).map(pathsOf)).toEqual([['of-a-file@1', 'great-amount@1']]);
  });

  it('is nothing for a proposal alone', async () => {
    const { publisher, put, rules } = newProcess();
    await put({ id: 'great-amount' });
    await publisher.publish();
    await rules.propose(ruleOf({ id: 'great-amount', version: 2 }).rule, act('ana'));
    await publisher.publish();
    expect(await sent()).toHaveLength(1);
  });

  it('is the entry of the lists alone where only they changed, and goes along with rules that may speak of them', async () => {
    const { publisher, put, lists } = newProcess();
    await put({ id: 'great-amount' });
    await publisher.publish();
    const { number: entry, hash } = await lists.add('bloqueados', 'D-1', { source: 'x', untilMs: null }, act('ana'));
    await publisher.publish();
    await put({ id: 'other' });
    await publisher.publish();
    const [, second, third] = await sent();
    expect(second).toEqual({ lists: { entry, hash } });
    expect(third.lists).toEqual({ entry, hash });
    expect(JSON.stringify(await sent())).not.toContain('D-1');
  });

  it('gives a rule its say again when its snooze is over, and lets ended overrides go', async () => {
    const { publisher, put, rules } = newProcess();
    await put({ id: 'great-amount' });
    await rules.snooze('great-amount', nowMs + DAY_MS, act('eva'));
    const override = { ruleId: 'great-amount', field: 'payerId' as const, value: 'C-1', untilMs: nowMs + 2 * DAY_MS };
    await rules.override(override, act('eva'));
    await publisher.publish();
    nowMs += DAY_MS;
    await publisher.publish();
    await publisher.publish();
    nowMs += DAY_MS;
    await publisher.publish();
    const modes = (await sent()).map(({ rules: files = [], overrides = [] }) => [
      /"mode": "(\w+)"/.exec(files[1].text)?.[1],
      overrides.length,
    ]);
    expect(modes).toEqual([
      ['shadow', 1],
      ['live', 1],
      ['live', 0],
    ]);
  });

  it('is sent again where somebody else wrote other rules onto the topic before this process began', async () => {
    const { publisher, put } = newProcess();
    await put({ id: 'great-amount' });
    await publisher.publish();
    const value = new TextEncoder().encode(JSON.stringify({ rules: [] }));
    const broken = new TextEncoder().encode('{');
    const model = new TextEncoder().encode(JSON.stringify({ model: null }));
    for (const each of [value, broken, model]) {
      await log.append([
        { topic: topics.control, partition: 0, key: null, value: each, headers: [], timestampMs: null },
      ]);
    }
    await newProcess().publisher.publish();
    const records = await log.read({ topic: topics.control, partition: 0, offset: 4 }, 10, 0);
    expect(records).toHaveLength(1);
  });
});

describe('rules of files', () => {
  it('give way to the book, which alone says what becomes of them then, and keep their version', async () => {
    const { rules, put } = newProcess();
    const inForce = async () => (await rules.effectiveAt(nowMs)).rules.map(({ rule }) => `${rule.id}@${rule.version}`);
    await expect(rules.propose(ruleOf({ id: 'of-a-file' }).rule, act('ana'))).rejects.toThrow('Propose version 2');
    await expect(rules.retire('of-a-file', act('ana'))).rejects.toThrow('mode: off');
    await put({ id: 'of-a-file', version: 2 });
    expect(await inForce()).toEqual(['of-a-file@2']);
    await rules.retire('of-a-file', act('ana'));
    expect(await inForce()).toEqual([]);
    await rules.rollback('of-a-file', 2, act('ana'));
    expect(await inForce()).toEqual(['of-a-file@2']);
  });
});
