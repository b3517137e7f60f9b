// Packs of evidence made again: each is opened, decided anew by the model and the rules that it names, and compared bit by bit.
import type { ChainPoint } from '../../audit/chain.ts';
import { CATALOGUE_NAMES } from '../../features/catalogue/choose.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import { InputError } from '../../lib/errors.ts';
import { catalogueHash, type Evidence, readEvidence, readOpening } from '../../pipeline/evidence/evidence.ts';
import { modelHash } from '../../pipeline/evidence/model-hash.ts';
import { type Difference, type LoadedVersion, reexecute } from '../../pipeline/evidence/reexecute.ts';
import type { ObjectStore } from '../../ports.ts';
import { EnvelopeError } from '../../privacy/envelope.ts';
import type { StoredModel } from '../../registry/model-store.ts';
import { ModelError } from '../../registry/packed-model.ts';
import type { RuleLists } from '../rules/rule-lists.ts';
import { rulesOverFeatures } from '../rules/rules-over-features.ts';
import { definitionsOf } from '../stream/stream-setup.ts';
import { findRules } from './evidence-store.ts';

export interface ReplayTools {
  /** With the rules that packs name. */
  readonly objects: ObjectStore;
  readonly registry: ObjectStore;
  readonly lists: RuleLists;
  /** Names of all detectors that there are. */
  readonly detectors: readonly string[];
  /** @throws ModelError, InputError where there is no such model */
  readonly loadModel: (id: string) => Promise<StoredModel>;
  /** What was sealed of the transaction; null where its customer was erased. @throws EnvelopeError */
  readonly open: (id: string, sealed: Uint8Array) => Promise<Uint8Array | null>;
  /** What the audit has where a pack names an entry of it; null where that is it, or no longer to be seen. */
  readonly auditDiffers: (head: ChainPoint) => Promise<string | null>;
}

export type ReplayedPack = { readonly id: string } & (
  | { readonly outcome: 'same' }
  | { readonly outcome: 'differs'; readonly difference: Difference }
  /** What it was made of is not to be had any more, or was changed. */
  | { readonly outcome: 'not-replayable'; readonly code: string; readonly message: string }
);

/** A version is loaded once for packs of one after another. */
export class EvidenceReplay {
  readonly #tools: ReplayTools;
  #loaded: { readonly name: string; readonly version: LoadedVersion } | null = null;

  constructor(tools: ReplayTools) {
    this.#tools = tools;
  }

  /** @param expectedSha256 what the decision names; null to take the pack as it is */
  async replay(name: string, bytes: Uint8Array, expectedSha256: string | null): Promise<ReplayedPack> {
    try {
      const evidence = readEvidence(bytes, expectedSha256);
      const { id } = evidence;
      const { difference } = await reexecute(evidence, await this.#transactionOf(evidence), (of) => this.#version(of));
      const found = difference ?? (await this.#auditDifference(evidence));
      return found === null ? { id, outcome: 'same' } : { id, outcome: 'differs', difference: found };
    } catch (error) {
      const isTold = [InputError, ModelError, EnvelopeError].some((kind) => error instanceof kind);
      if (!isTold) throw error;
      const { code = 'EVIDENCE_MODEL', message } = error as Error & { readonly code?: string };
      return { id: name, outcome: 'not-replayable', code, message };
    }
  }

  /** The audit was written anew, or cut, since the pack was made. */
  async #auditDifference({ auditHead }: Evidence): Promise<Difference | null> {
    if (auditHead === null) return null;
    const now = await this.#tools.auditDiffers(auditHead);
    return now === null ? null : { what: 'auditHead', recorded: `${auditHead.sequence}:${auditHead.hash}`, now };
  }

  async #transactionOf({ id, transaction }: Evidence) {
    if (transaction.form !== 'sealed') {
      throw new InputError(
        'EVIDENCE_MASKED',
        'The transaction is masked',
        'Read it from the stream, while that has it',
      );
    }
    const plain = await this.#tools.open(id, new Uint8Array(Buffer.from(transaction.value, 'base64')));
    if (plain !== null) return readOpening(plain, transaction.sha256);
    const how = 'It cannot be decided again; its scores, rules and verdict stay';
    throw new InputError('EVIDENCE_ERASED', 'The customer was erased, and the transaction with them', how);
  }

  async #version(evidence: Evidence): Promise<LoadedVersion> {
    const { model, rules, features, overrides } = evidence;
    const name = JSON.stringify([model?.id, rules.sha256, features.catalogueSha256, overrides]);
    if (this.#loaded?.name !== name) this.#loaded = { name, version: await this.#load(evidence) };
    return this.#loaded.version;
  }

  async #load({ model, rules, features, overrides }: Evidence): Promise<LoadedVersion> {
    const { objects, registry, lists, detectors, loadModel } = this.#tools;
    const stored = model === null ? null : await loadModel(model.id);
    const definitions = definitionsNamed(stored, features.catalogueSha256);
    const placed = await findRules(objects, rules.sha256);
    const scored = stored?.model.parts.map(({ detector }) => detector.name) ?? [];
    return {
      ...{ definitions, model: stored?.model ?? null },
      rules: rulesOverFeatures({ placed, overrides, lists, detectors }, { definitions, scored }),
      modelSha256: model === null ? null : await modelHash(registry, model.id),
    };
  }
}

/** The engine had the model's features, and perhaps a catalogue's. Where none fits, the comparison tells. */
function definitionsNamed(stored: StoredModel | null, sha256: string): readonly FeatureDefinition[] {
  const possible = [null, ...CATALOGUE_NAMES].map((catalogue) => definitionsOf(stored, catalogue));
  return possible.find((definitions) => catalogueHash(definitions) === sha256) ?? possible[0];
}
