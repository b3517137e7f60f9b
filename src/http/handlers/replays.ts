// Replays: asked for, looked at, cancelled. They run elsewhere (jobs/replay/replay-queue.ts).
import { rulesError } from '../../jobs/replay/versions.ts';
import { readRuleFile } from '../../jobs/rules/check-rules.ts';
import { InputError } from '../../lib/errors.ts';
import type { RecordStore } from '../../records/record-store.ts';
import { askReplay, cancelReplay, getReplay, listReplays } from '../../records/replays/replay-jobs.ts';
import type { ReplayRequest } from '../../records/replays/tables.ts';
import type { Asked, Handlers } from '../asked.ts';
import { camelRow } from '../camel-case.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import type { REPLAY_ENDPOINTS } from '../contract/replays.ts';
import { actOf, type NewId } from './act.ts';

export interface ReplayServices {
  readonly records: RecordStore;
  readonly newId: NewId;
  /** There is something new to run, or to stop. */
  readonly poke: () => void;
  /** @throws InputError where there is no such model */
  readonly demandModel: (id: string) => Promise<unknown>;
}

const DEFAULT_SEED = 42;

export function replayHandlers({
  records,
  newId,
  poke,
  demandModel,
}: ReplayServices): Pick<Handlers, 'listReplays' | 'askReplay' | 'getReplay' | 'cancelReplay'> {
  const { db } = records;
  const committed = async () => poke();
  return {
    async listReplays({ query }) {
      const { cursor = null, limit = DEFAULT_PAGE, state = null } = query;
      const { rows, next } = await listReplays(db, state, cursor, limit);
      return { body: { rows: rows.map(camelRow), next } };
    },
    async askReplay(asked, tx, record) {
      const request = requestOf(asked.body);
      if (typeof request.model === 'string') await demandModel(request.model);
      const { result, audit } = await askReplay(tx, asked.body.name, request, actOf(asked, newId));
      await record(audit);
      return { body: { id: result }, status: 202, committed };
    },
    async getReplay({ params }) {
      const { request, result, runner: _, lease_ms: __, ...row } = await getReplay(db, params.replayId);
      return { body: { replay: camelRow(row), request, result }, version: row.version };
    },
    async cancelReplay(asked, tx, record) {
      const { params, body } = asked;
      const { result, audit } = await cancelReplay(tx, params.replayId, body.reason, actOf(asked, newId));
      await record(audit);
      return { body: { state: result }, committed };
    },
  };
}

/** @throws InputError where it changes nothing, its period is empty, or its rules cannot be read */
function requestOf(body: Asked<(typeof REPLAY_ENDPOINTS)['askReplay']>['body']): ReplayRequest {
  const { rules = null, model, thresholds = null, fromMs = null, untilMs = null } = body;
  if (rules === null && model === undefined && thresholds === null) {
    throw new InputError('REPLAY_EMPTY', 'Nothing is changed', 'Give rules, a model or thresholds');
  }
  if (fromMs !== null && untilMs !== null && fromMs >= untilMs) {
    throw new InputError('PERIOD_EMPTY', 'untilMs is not after fromMs', 'Give a period that has some length');
  }
  const problems = (rules?.files ?? []).flatMap((file) => readRuleFile(file).problems);
  if (problems.length > 0) throw rulesError(problems);
  const { bootstrap = 'customer', analysts = 1, seed = DEFAULT_SEED } = body;
  return {
    ...{ rules, thresholds, fromMs, untilMs, bootstrap, analysts, seed },
    ...(model !== undefined && { model }),
  };
}
