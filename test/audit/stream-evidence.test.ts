// Evidence as a worker makes it: a stream decided by a trained model and the built-in rules, its packs kept sealed, made again
// from what is kept, and compared bit by bit.
import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { LocalMasterKeys } from '../../src/adapters/keys/local-master-keys.ts';
import type { MemoryLog } from '../../src/adapters/memory/memory-log.ts';
import { DEFAULT_COSTS } from '../../src/decisions/money-policy.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import { findPack, keepPack, packKeys } from '../../src/jobs/evidence/evidence-store.ts';
import { EvidenceReplay } from '../../src/jobs/evidence/replay-evidence.ts';
import { readFeatures } from '../../src/jobs/read-features.ts';
import { NO_RULES } from '../../src/jobs/rules/rules-over-features.ts';
import { trainModel } from '../../src/jobs/train.ts';
import { bytesOfEvidence, type Evidence } from '../../src/pipeline/evidence/evidence.ts';
import type { StreamRecord } from '../../src/ports.ts';
import { loadModel, saveModel } from '../../src/registry/model-store.ts';
import { openEvidence } from '../../src/roles/service/evidence.ts';
import { openVault } from '../../src/roles/service/vault.ts';
import { createLogger } from '../../src/telemetry/logger.ts';
import { detectorChoices } from '../../src/training/detector-choices.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { createMemoryStore } from '../registry/memory-store.ts';
import { readerOf, simulate } from '../replay/simulated-reader.ts';
import { decideStream, evaluatedRules, known, TOPICS } from './decide-stream.ts';

const COUNT = 600;
const text = (value: Uint8Array | null) => Buffer.from(value!).toString('utf8');

/** Learns from what came before. */
async function trainedOn(history: readonly Transaction[], models: ReturnType<typeof createMemoryStore>): Promise<void> {
  const features = await readFeatures(readerOf(history, 700), {
    ...{ catalogue: null, rules: await evaluatedRules(), memoryLimitBytes: 1e9, onProgress: () => undefined },
    openStore: () => {
      throw new Error('not needed');
    },
  });
  const { model } = trainModel({
    ...{ features, detectors: detectorChoices('gbdt,isolation-forest', known), labelDelayMs: 86_400_000 },
    ...{ maxTrainingRows: 100_000, thresholds: { by: 'share', reviewShare: 0.05 }, costs: DEFAULT_COSTS, seed: 1 },
    onProgress: () => undefined,
  });
  await saveModel(models, 'evidence', model, {
    ...{ createdAt: '', utcOffsetMinutes: -300, reviewAtRisk: 0.05, metrics: {} },
    trainedOn: { rows: 0, fromMs: 0, toMs: 0, seed: 1 },
  });
}

const allOf = (log: MemoryLog, topic: string): Promise<readonly StreamRecord[]> =>
  log.read({ topic, partition: 0, offset: 0 }, 10_000, 0);

describeOnEachEngine('evidence of the stream', (open) => {
  it('decides every transaction again to the same bits, and tells the one bit that was changed', async () => {
    const records = await open();
    const masters = new LocalMasterKeys('file', [randomBytes(32)]);
    const logger = createLogger('error', () => undefined);
    const vault = await openVault({ records, masters, provider: null, logger, nowMs: Date.now });
    try {
      const [models, objects] = [createMemoryStore(), createMemoryStore()];
      const all = simulate(100, 16, 3);
      await trainedOn(all.slice(0, -COUNT), models);
      const transactions = all.slice(-COUNT);
      const log = await decideStream(transactions, { vault, models, objects, model: 'evidence@1' });

      const decisions = (await allOf(log, TOPICS.decisions)).map(({ value }) => JSON.parse(text(value)));
      const named = new Map(decisions.map(({ id, evidence }) => [id as string, evidence as string]));
      const packs = await allOf(log, TOPICS.evidence);
      expect([decisions.length, packs.length]).toEqual([COUNT, COUNT]);
      const alerts = (await allOf(log, TOPICS.alerts)).map(({ value }) => JSON.parse(text(value)));
      const flagged = alerts.filter(({ kind }) => kind === 'transaction');
      expect(flagged.length).toBeGreaterThan(5);
      for (const { id, evidence } of flagged) expect(evidence).toBe(named.get(id));
      const names = transactions.flatMap(({ payerName }) => (payerName === null ? [] : [payerName]));
      for (const { key, value } of packs) {
        for (const name of names.slice(0, 50)) expect(text(value)).not.toContain(name);
        await keepPack(objects, text(key), value!);
      }
      expect(await packKeys(objects)).toHaveLength(COUNT);

      const replay = new EvidenceReplay({
        ...{ objects, registry: models, lists: NO_RULES.lists, detectors: known.map(({ name }) => name) },
        loadModel: (id) => loadModel(models, id, known),
        open: (id, sealed) => openEvidence(vault.keys, id, sealed),
        auditDiffers: async () => null,
      });
      for (const { id } of transactions) {
        const again = await replay.replay(id, (await findPack(objects, id))!, named.get(id)!);
        expect(again).toEqual({ id, outcome: 'same' });
      }

      const [{ id }] = flagged;
      const kept = JSON.parse(text(await findPack(objects, id))) as Evidence;
      const again = (changed: Partial<Evidence>, expected: string | null = null) =>
        replay.replay(id, bytesOfEvidence({ ...kept, ...changed }), expected);
      const flipped = (bits: string) => bits.slice(0, -1) + (bits.endsWith('0') ? '1' : '0');
      const [first, ...rest] = kept.scores;
      expect(await again({ scores: [{ ...first, bits: flipped(first.bits) }, ...rest] })).toMatchObject({
        ...{ outcome: 'differs', difference: { what: `scores.${first.detector}`, now: first.bits } },
      });
      const riskBits = flipped(kept.verdict.riskBits);
      expect(await again({ verdict: { ...kept.verdict, riskBits } })).toMatchObject({
        difference: { what: 'verdict.riskBits', recorded: riskBits, now: kept.verdict.riskBits },
      });
      // One bit of the sealed transaction: it does not open.
      if (kept.transaction.form !== 'sealed') throw new Error('it is sealed');
      const sealed = Buffer.from(kept.transaction.value, 'base64');
      sealed[sealed.length - 20] ^= 1;
      const transaction = { ...kept.transaction, value: sealed.toString('base64') };
      expect(await again({ transaction })).toMatchObject({ outcome: 'not-replayable', code: 'ENVELOPE_BROKEN' });
      expect(await again({ decidedMs: 0 }, named.get(id)!)).toMatchObject({ code: 'EVIDENCE_CHANGED' });
      const forgetful = new EvidenceReplay({
        ...{ objects, registry: models, lists: NO_RULES.lists, detectors: known.map(({ name }) => name) },
        ...{
          loadModel: (model) => loadModel(models, model, known),
          open: async () => null,
          auditDiffers: async () => null,
        },
      });
      const erased = await forgetful.replay(id, bytesOfEvidence(kept), named.get(id)!);
      expect(erased).toMatchObject({ outcome: 'not-replayable', code: 'EVIDENCE_ERASED' });
      // One bit of a feature that is looked at: the scores are not those that were.
      const seen = new Set<string>();
      for (let column = 0; column < kept.features.count; column++) {
        const bytes = Buffer.from(kept.features.values, 'base64');
        bytes[column * 8 + 7] ^= 0x80;
        const changed = await again({ features: { ...kept.features, values: bytes.toString('base64') } });
        if (changed.outcome === 'differs') seen.add(changed.difference.what);
      }
      expect([...seen].some((what) => what.startsWith('scores.'))).toBe(true);
    } finally {
      await vault.close();
      await records.close();
    }
  }, 120_000);
});
