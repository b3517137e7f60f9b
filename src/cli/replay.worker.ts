// The thread of a replay that the service was asked for: takes history batch by batch, decides it by the live version and the
// candidate, and answers with what would have been different. It opens the registry itself, for models; lists are sealed there, and handed over.
import { setPriority } from 'node:os';
import { platform } from 'node:process';
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { DEFAULT_GOVERNOR } from '../decisions/governor.ts';
import { DEFAULT_COSTS } from '../decisions/money-policy.ts';
import { createTransaction, type Transaction } from '../domain/transaction.ts';
import { ALL_HISTORY } from '../jobs/replay/history.ts';
import { type Replay, replay } from '../jobs/replay/replay.ts';
import type { ReplayInput, ReplayOutput, ReplayTask } from '../jobs/replay/replay-thread.ts';
import { rulesError, type VersionSpec } from '../jobs/replay/versions.ts';
import { readRuleFile } from '../jobs/rules/check-rules.ts';
import { ruleLists } from '../jobs/rules/rule-lists.ts';
import { receivedRule } from '../jobs/rules/sent-rules.ts';
import { InputError } from '../lib/errors.ts';
import type { ObjectStore, TransactionReader } from '../ports.ts';
import { SEALED_FIELDS } from '../privacy/personal-fields.ts';
import type { ReplayRequest, ReplayResult } from '../records/replays/tables.ts';
import { loadModel, type StoredModel, thresholdsOf } from '../registry/model-store.ts';
import { ModelError } from '../registry/packed-model.ts';
import type { PlacedRule } from '../rules/read-rules.ts';
import { detectorsHere } from './detectors-here.ts';
import { policyOf } from './history-options.ts';
import { openObjectStore } from './object-store.ts';
import { candidateRules } from './rule-files.ts';

interface Given {
  readonly place: string;
  readonly task: ReplayTask;
}

const LOW_PRIORITY = 10;
const LIMA_OFFSET_MINUTES = -300;
const PERSONAL: ReadonlySet<string> = new Set(SEALED_FIELDS);

async function perform({ place, task }: Given, port: MessagePort): Promise<ReplayResult> {
  const { request, live, lists, nowMs } = task;
  const registry = openObjectStore(place);
  const { liveVersion, candidate } = await versionsOf(task, registry);
  const done = await replay({
    ...{ reader: readerOf(port), live: liveVersion, candidate, catalogue: null },
    lists: ruleLists(lists),
    range: {
      fromMs: request.fromMs ?? ALL_HISTORY.fromMs,
      untilMs: request.untilMs ?? ALL_HISTORY.untilMs,
    },
    ...{ costs: DEFAULT_COSTS, unit: request.bootstrap, seed: request.seed, governor: DEFAULT_GOVERNOR },
    ...{ writeLines: null, verifyLines: null, onProgress: () => undefined },
  });
  return resultOf(done, request, {
    live: { name: live.name, model: live.model },
    candidate: { model: candidate.model?.id ?? null, rules: candidate.rules.length },
    beganMs: nowMs,
  });
}

async function versionsOf({ request, live }: ReplayTask, registry: ObjectStore) {
  const known = detectorsHere();
  const load = async (id: string | null) => (id === null ? null : await loadModel(registry, id, known));
  const model = await load(live.model);
  const wanted = request.model === undefined ? live.model : request.model;
  const newModel = wanted === live.model ? model : await load(wanted);
  const { overrides } = live;
  const rules = live.rules.map(receivedRule);
  const liveVersion: VersionSpec = { rules, overrides, model, policy: policyOf(model, live.thresholds) };
  const candidate: VersionSpec = {
    ...{ rules: rulesOf(request.rules, rules), overrides, model: newModel },
    // A model that is named comes with its own.
    policy: policyOf(
      newModel,
      thresholdsAsked(request.thresholds, newModel) ?? (request.model === undefined ? live.thresholds : null),
    ),
  };
  return { liveVersion, candidate };
}

function rulesOf(asked: ReplayRequest['rules'], live: readonly PlacedRule[]): readonly PlacedRule[] {
  if (asked === null) return live;
  const read = asked.files.map(readRuleFile);
  const problems = read.flatMap((each) => each.problems);
  if (problems.length > 0) throw rulesError(problems);
  return candidateRules(live, { isFolder: asked.mode === 'whole', rules: read.flatMap(({ rules }) => rules) });
}

function thresholdsAsked(asked: ReplayRequest['thresholds'], model: StoredModel | null) {
  if (asked === null) return null;
  if (model === null) {
    throw new InputError(
      'MODEL_MISSING',
      'Thresholds are for the risk of a model, and the candidate has none',
      'Name one',
    );
  }
  return asked === 'cost' ? { ...thresholdsOf(model.description), costs: DEFAULT_COSTS } : asked;
}

/** Money as everywhere in programs: céntimos, in names that end in Minor. */
function resultOf(
  { comparison, changes, otherAction, rules, governor, features, periodMs }: Replay,
  { analysts, bootstrap, seed }: ReplayRequest,
  versions: Record<string, unknown>,
): ReplayResult {
  const alertsOf = (alerts: number) => alerts / (comparison.days * analysts || 1);
  return {
    ...versions,
    ...{ periodMs, features, intervals: bootstrap, seed, costs: DEFAULT_COSTS, comparison },
    alertsPerAnalystDay: {
      live: alertsOf(comparison.live.alerts.value),
      candidate: alertsOf(comparison.candidate.alerts.value),
    },
    ...{ otherAction, rules, governor },
    // What a condition looked at may be a name or an account: those are for who may see the transaction.
    changes: changes.map(({ examples, ...group }) => ({
      ...group,
      examples: examples.map((each) => ({ ...each, values: each.values.filter(({ name }) => !PERSONAL.has(name)) })),
    })),
  };
}

/** Of what the other side sends. */
function readerOf(port: MessagePort): TransactionReader {
  const some = createTransaction({ id: '-', eventTimeMs: 0, amountMinor: 0, currency: 'PEN' });
  const fields = Object.keys(some) as (keyof Transaction)[];
  const waiting: ReplayInput[] = [];
  let wake: () => void = () => undefined;
  port.on('message', (input: ReplayInput) => {
    waiting.push(input);
    wake();
  });
  let rows = 0;
  return {
    mapping: {
      ...{ name: 'canonical', guessed: false, unusedColumns: [], timeZone: 'America/Lima', labelDelayDays: null },
      ...{ catalogue: null, describe: () => [] },
      fields: new Map(fields.map((field) => [field, { kind: 'column', column: field, detail: '' }])),
    },
    ...{ fieldsPresent: new Set(fields), utcOffsetMinutes: LIMA_OFFSET_MINUTES, progress: () => 0 },
    summary: () => ({ rows, accepted: rows, rejected: 0, byReason: {}, firstExamples: [], findings: [] }),
    async *[Symbol.asyncIterator]() {
      for (;;) {
        while (waiting.length === 0) {
          await new Promise<void>((resolve) => {
            wake = resolve;
          });
        }
        const batch = waiting.shift()!;
        if (batch === null) return;
        rows += batch.length;
        yield [...batch];
        port.postMessage({ kind: 'taken' } satisfies ReplayOutput);
      }
    },
  };
}

if (parentPort !== null) {
  // Linux counts this by thread; elsewhere it would slow down the whole process.
  if (platform === 'linux') setPriority(LOW_PRIORITY);
  const port = parentPort;
  const tell = (output: ReplayOutput) => port.postMessage(output);
  try {
    tell({ kind: 'done', result: await perform(workerData as Given, port) });
  } catch (error) {
    const { message } = error as Error;
    const isTold = error instanceof InputError || error instanceof ModelError;
    tell({ kind: 'failed', code: isTold ? error.code : null, message });
  }
}
