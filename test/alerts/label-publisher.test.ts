// Labels of the records reach the features of the stream: in order, at least once, through crashes, with nobody's data in clear.
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { decodeControl, decodeLabel } from '../../src/adapters/formats/stream-values.ts';
import { decodeJsonTransaction } from '../../src/adapters/formats/transaction-value.ts';
import { LocalMasterKeys } from '../../src/adapters/keys/local-master-keys.ts';
import { createMemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { createTransaction } from '../../src/domain/transaction.ts';
import { CATALOGUE_NAMES } from '../../src/features/catalogue/choose.ts';
import { LabelPublisher, type LabelPublisherOptions } from '../../src/jobs/labels/label-publisher.ts';
import { NO_RULES } from '../../src/jobs/rules/rules-over-features.ts';
import { streamSetup } from '../../src/jobs/stream/stream-setup.ts';
import { kindHeader } from '../../src/pipeline/stream/record-kinds.ts';
import { topicNames, topicSettings } from '../../src/pipeline/stream/topics.ts';
import { addLabels } from '../../src/records/alerts/labels.ts';
import { openingDecoders, sealedRecord, sealedValue } from '../../src/roles/service/sealed-values.ts';
import { newId, openVault } from '../../src/roles/service/vault.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { createMemoryStore } from '../registry/memory-store.ts';

const TOPICS = topicNames();
const NOW = 1_768_000_000_000;
const NAME = 'Rosa Quispe Mamani';

describeOnEachEngine('labels on the stream', (open) => {
  async function openPlace() {
    const records = await open();
    const logger = createLogger('error', () => undefined);
    const masters = new LocalMasterKeys('file', [randomBytes(32)]);
    const vault = await openVault({ records, masters, provider: null, logger, nowMs: Date.now });
    const log = createMemoryLog({ now: Date.now });
    await log.createTopics(topicSettings(TOPICS, 1, 1));
    const { codec } = vault;
    const of = (id: string) => {
      const details = { operation: 'transfer', payerId: '10117410', payeeId: 'M-1', payerName: NAME } as const;
      return createTransaction({ id, eventTimeMs: NOW, amountMinor: 5000, currency: 'PEN', ...details });
    };
    const write = async (transaction: ReturnType<typeof of>, topic: string) =>
      sealedRecord(codec, transaction, await sealedValue(codec, transaction, NOW), topic);
    await log.append([await write(of('T1'), TOPICS.transactions), await write(of('T2'), TOPICS.transactions)]);
    const passedOver: string[] = [];
    const place = { nowMs: NOW };
    const options: LabelPublisherOptions = {
      ...{ records, log, topics: TOPICS, objects: createMemoryStore(), nowMs: () => place.nowMs },
      placeOf: async (id) => {
        const offset = ['T1', 'T2'].indexOf(id);
        return offset < 0 ? null : { partition: 0, offset };
      },
      open: async (value) => (await codec.openAll([value]))[0].transaction,
      seal: (labelled, topic) => write(labelled, topic),
      onPassedOver: (id) => passedOver.push(id),
    };
    const say = (transactionId: string, outcome: 'fraud' | 'genuine', atMs = NOW) =>
      records.transact(async (tx) => {
        const nothing = { typology: null, caseId: null, note: null };
        const by = { kind: 'user', id: 'u-1', name: 'analista' } as const;
        const act = { by, permissions: new Set(['labels:write']), atMs, address: null, newId: () => newId(atMs) };
        await addLabels(tx, [{ transactionId, outcome, source: 'analyst', ...nothing }], act);
      });
    const published = async () => await log.read({ topic: TOPICS.labels, partition: 0, offset: 0 }, 100, 0);
    const close = async () => {
      await vault.close();
      await records.close();
    };
    return { vault, log, options, place, passedOver, say, published, close };
  }

  it('teach the fold that counted their transactions', async () => {
    const { vault, log, options, say, published, close } = await openPlace();
    try {
      await say('T1', 'fraud');
      await say('T2', 'genuine');
      expect(await new LabelPublisher(options).publish()).toBe(2);
      const labels = await published();
      expect(labels.map(({ value }) => JSON.parse(Buffer.from(value!).toString()).isFraud)).toEqual([true, false]);
      const transactions = await log.read({ topic: TOPICS.transactions, partition: 0, offset: 0 }, 10, 0);
      for (const { key, value, headers } of labels) {
        expect(headers.map((each) => `${each.name} ${Buffer.from(each.value)}`)).toEqual([
          'centinela-label-source analyst',
        ]);
        for (const clear of [NAME, '10117410']) expect(Buffer.from(value!).toString()).not.toContain(clear);
        // To the partition of its transaction.
        expect(key).toEqual(transactions[0].key);
      }

      const clear = { transaction: decodeJsonTransaction, label: decodeLabel, control: decodeControl };
      const decoders = openingDecoders(vault.codec, vault.keys, clear);
      const { setup, versions } = streamSetup({
        ...{ model: null, rules: NO_RULES, catalogue: CATALOGUE_NAMES[0], decoders },
        loadModel: () => Promise.reject(new Error('there is no model')),
      });
      const fold = setup.createFold(setup.createEngine(), null, 0);
      const stream = [...transactions, ...labels.map((each) => ({ ...each, headers: [kindHeader('label')] }))];
      await decoders.prepareLabels?.(stream.map(({ value }) => value!));
      const output = fold.take(stream, await versions.initial(setup.definitions));
      expect(output.refused).toEqual([]);
      expect(output.counts).toMatchObject({ transactions: 2, labels: 2, labelsTooLate: 0 });
    } finally {
      await close();
    }
  });

  it('come again after a crash rather than never, and once otherwise', async () => {
    const { options, say, published, close } = await openPlace();
    try {
      const { objects } = options;
      await say('T1', 'fraud');
      const dying = { ...objects, put: () => Promise.reject(new Error('it died')) };
      await expect(new LabelPublisher({ ...options, objects: dying }).publish()).rejects.toThrow('it died');
      const refusing = { ...options.log, append: () => Promise.reject(new Error('no log')) };
      await expect(new LabelPublisher({ ...options, log: refusing }).publish()).rejects.toThrow('no log');
      expect(await new LabelPublisher(options).publish()).toBe(1);
      expect(await published()).toHaveLength(2);
      const again = new LabelPublisher(options);
      expect([await again.publish(), await again.publish()]).toEqual([0, 0]);
      await say('T1', 'genuine', NOW + 1);
      expect(await again.publish()).toBe(1);
      expect(await published()).toHaveLength(3);
    } finally {
      await close();
    }
  });

  it('wait for a decision that may still come, and pass over what nobody knows', async () => {
    const { options, place, passedOver, say, published, close } = await openPlace();
    try {
      await say('unknown', 'fraud');
      await say('T1', 'fraud');
      const publisher = new LabelPublisher(options);
      expect([await publisher.publish(), passedOver]).toEqual([0, []]);
      place.nowMs += 31_000;
      expect([await publisher.publish(), passedOver]).toEqual([1, ['unknown']]);
      expect(await published()).toHaveLength(1);
    } finally {
      await close();
    }
  });
});
