// Models: what the registry has, what decides, and changes of that by two people.
import type { ControlRecord } from '../../domain/stream-records.ts';
import { InputError } from '../../lib/errors.ts';
import type { LiveVersion } from '../../pipeline/stream/partition-fold.ts';
import type { ObjectStore } from '../../ports.ts';
import {
  changeAsked,
  controlOf,
  decideModelChange,
  getModelChange,
  listModelChanges,
  type ProposedChange,
  proposeModelChange,
  withdrawModelChange,
} from '../../records/models/model-changes.ts';
import type { ModelChangeTable } from '../../records/models/tables.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { listModels, type ModelCard, readModelCard } from '../../registry/model-store.ts';
import { ModelError } from '../../registry/packed-model.ts';
import type { Handlers } from '../asked.ts';
import { camelRow } from '../camel-case.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import { notFound } from '../problem.ts';
import { actOf, type NewId } from './act.ts';

export interface ModelServices {
  readonly records: RecordStore;
  readonly registry: ObjectStore;
  readonly newId: NewId;
  readonly live: LiveState;
  /** Approved changes are on their way. */
  readonly send: () => Promise<void>;
}

export interface LiveState {
  readonly decidesHere: boolean;
  /** One for each partition that is decided here. */
  versions(): readonly Pick<LiveVersion, 'model' | 'rules' | 'thresholds'>[];
  /** `name@version` of what decides, or was asked to. */
  model(): Promise<string | null>;
  /** In place of the model's own; null: its own. */
  thresholds(): Promise<ProposedChange['thresholds']>;
  /** Whether such a change can be made. @throws InputError */
  tryChange(change: ControlRecord): Promise<void>;
}

type ModelHandlers = Pick<
  Handlers,
  | ('listModels' | 'getModel' | 'liveVersions' | 'listModelChanges' | 'getModelChange' | 'proposeModelChange')
  | ('decideModelChange' | 'withdrawModelChange')
>;

export function modelHandlers({ records, registry, newId, live, send }: ModelServices): ModelHandlers {
  const { db } = records;
  return {
    async listModels({ query }) {
      const { limit = DEFAULT_PAGE, cursor, name } = query;
      const all = (await listModels(registry)).filter((id) => name === undefined || id.startsWith(`${name}@`));
      const from = cursor === undefined ? 0 : all.indexOf(readCursor(cursor)) + 1;
      const shown = all.slice(from, from + limit);
      const liveModel = await live.model();
      const rows = [];
      for (const id of shown) rows.push((await modelOf(registry, id, liveModel)).model);
      const next = from + limit < all.length ? writeCursor(shown[shown.length - 1]) : null;
      return { body: { rows, next } };
    },
    async getModel({ params }) {
      const { model, card } = await modelOf(registry, params.modelId, await live.model());
      if (card === null && model.problem === null) throw notFound(`model ${params.modelId}`);
      return {
        body: { model, thresholds: card?.description.thresholds ?? null, featureIds: card?.featureIds ?? [] },
      };
    },
    async liveVersions() {
      const versions = live.versions();
      const kinds = new Set(versions.map(({ model, rules, thresholds }) => `${model} ${rules} ${thresholds}`));
      const waiting = (await listModelChanges(db, 'proposed', null, 1)).rows[0];
      return {
        body: {
          ...{ decidesHere: live.decidesHere, model: await live.model(), thresholds: await live.thresholds() },
          ...{ rules: versions[0]?.rules ?? null, isSettled: kinds.size <= 1 },
          waiting: waiting === undefined ? null : changeOf(waiting),
        },
      };
    },
    async listModelChanges({ query }) {
      const { cursor = null, limit = DEFAULT_PAGE, state = null } = query;
      const { rows, next } = await listModelChanges(db, state, cursor, limit);
      return { body: { rows: rows.map(changeOf), next } };
    },
    async getModelChange({ params }) {
      const row = await getModelChange(db, params.changeId);
      return { body: changeOf(row), version: row.version };
    },
    proposeModelChange: {
      // A large model takes its time to load: not while others wait for the audit.
      async make({ body: { reason, ...body } }) {
        const change = proposedOf(body, body.model === undefined ? await live.model() : body.model);
        if (change.model !== null) await demandModel(registry, change.model);
        await live.tryChange(controlOf(change));
        return async (asked, tx, record) => {
          const { result, audit } = await proposeModelChange(tx, change, reason, actOf(asked, newId));
          await record(audit);
          return { body: { id: result } };
        };
      },
    },
    decideModelChange: {
      async make({ params, body: { isApproved, comment = '' } }) {
        const change = changeAsked(await getModelChange(db, params.changeId));
        // Rules, features and the model may have changed since it was proposed.
        if (isApproved) {
          if (!change.setsModel) demandSameModel(change, await live.model());
          await live.tryChange(controlOf(change));
        }
        return async (asked, tx, record) => {
          const act = actOf(asked, newId);
          const version = asked.ifMatch!;
          const { result, audit } = await decideModelChange(tx, params.changeId, isApproved, comment, version, act);
          await record(audit);
          return { body: changeOf(result), version: result.version, committed: send };
        };
      },
    },
    async withdrawModelChange(asked, tx, record) {
      const act = actOf(asked, newId);
      const { result, audit } = await withdrawModelChange(tx, asked.params.changeId, asked.ifMatch!, act);
      await record(audit);
      return { body: changeOf(result), version: result.version };
    },
  };
}

type ChangeBody = Pick<Partial<ProposedChange>, 'model' | 'thresholds'>;

/**
 * @param model that is meant: the one that is asked for, or the live one
 * @throws InputError MODEL_CHANGE_EMPTY, THRESHOLDS_WITHOUT_MODEL, THRESHOLDS_INVALID
 */
function proposedOf(body: ChangeBody, model: string | null): ProposedChange {
  const { thresholds = null } = body;
  const setsModel = body.model !== undefined;
  if (!setsModel && body.thresholds === undefined) {
    throw new InputError('MODEL_CHANGE_EMPTY', 'Nothing is changed', 'Give a model, thresholds, or both');
  }
  if (model === null && (thresholds !== null || !setsModel)) {
    const what = 'Thresholds are for the risk of a model, and none is to decide';
    throw new InputError('THRESHOLDS_WITHOUT_MODEL', what, 'Name a model, too');
  }
  if (thresholds !== null && thresholds.reviewAtRisk > thresholds.holdAtRisk) {
    const what = `Held from ${thresholds.holdAtRisk} on, and reviewed from ${thresholds.reviewAtRisk} on: nothing would be reviewed`;
    throw new InputError('THRESHOLDS_INVALID', what, 'Let reviewAtRisk be at most holdAtRisk');
  }
  return { setsModel, model, thresholds };
}

/** @throws InputError MODEL_CHANGE_OVERTAKEN */
function demandSameModel({ model }: ProposedChange, liveModel: string | null): void {
  if (model === liveModel) return;
  const what = `These are thresholds of ${model}, and ${liveModel ?? 'no model'} decides now`;
  throw new InputError('MODEL_CHANGE_OVERTAKEN', what, 'Refuse it, and propose thresholds of the live model');
}

/** As the interface tells it. */
function changeOf(row: ModelChangeTable) {
  const { review_at_risk: _, hold_at_risk: __, ...told } = row;
  return { ...camelRow(told), thresholds: changeAsked(row).thresholds };
}

/** @throws InputError MODEL_UNKNOWN, MODEL_UNUSABLE */
export async function demandModel(registry: ObjectStore, id: string): Promise<void> {
  const card = await readModelCard(registry, id).catch((error: unknown) => {
    if (!(error instanceof ModelError)) throw error;
    throw new InputError(error.code, error.message, 'Train it anew, or restore it from a copy');
  });
  if (card === null) throw new InputError('MODEL_UNKNOWN', `There is no model ${id}`, 'See GET /v1/models');
}

async function modelOf(registry: ObjectStore, id: string, liveModel: string | null) {
  const [name, version] = id.split('@');
  let card: ModelCard | null = null;
  let problem: string | null = null;
  try {
    card = await readModelCard(registry, id);
  } catch (error) {
    if (!(error instanceof ModelError)) throw error;
    problem = error.message;
  }
  const told = card === null ? null : cardOf(card);
  return { card, model: { id, name, version: Number(version), isLive: id === liveModel, card: told, problem } };
}

function cardOf({ description, detectors, featureIds, rulesLearnt }: ModelCard) {
  const { createdAt, reviewAtRisk, costs, trainedOn, metrics } = description;
  return {
    ...{ detectors, features: featureIds.length, rulesLearnt, createdAt, reviewAtRisk, trainedOn, metrics },
    isDecidingByCost: costs !== undefined,
  };
}

/** Of the last model of the page: where it is gone meanwhile the list begins anew. */
function writeCursor(id: string): string {
  return Buffer.from(id).toString('base64url');
}

function readCursor(cursor: string): string {
  return Buffer.from(cursor, 'base64url').toString();
}
