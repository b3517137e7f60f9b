// What decides, as the service tells it and replays against it: of its own worker, or of what workers elsewhere were asked.
import type { ControlRecord } from '../../domain/stream-records.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import type { LiveState } from '../../http/handlers/models.ts';
import type { LiveDecider } from '../../jobs/replay/replay-thread.ts';
import { readRuleFile } from '../../jobs/rules/check-rules.ts';
import type { EvaluatedRules } from '../../jobs/rules/rules-over-features.ts';
import { sentRule } from '../../jobs/rules/sent-rules.ts';
import { changesAsked, type WatchedVersions } from '../../jobs/stream/watched-versions.ts';
import { InputError } from '../../lib/errors.ts';
import type { RecordDecoders } from '../../pipeline/stream/partition-fold.ts';
import type { TopicNames } from '../../pipeline/stream/topics.ts';
import { VersionUnavailableError } from '../../pipeline/stream/versions.ts';
import type { StreamLog } from '../../ports.ts';
import type { RunningWorker } from '../worker.ts';

/** With what the service was started. */
export interface FirstVersion {
  readonly model: string | null;
  readonly rules: Pick<EvaluatedRules, 'placed' | 'overrides'>;
}

export interface OwnVersions {
  readonly worker: Pick<RunningWorker, 'live'>;
  readonly watched: WatchedVersions;
  readonly definitions: readonly FeatureDefinition[];
}

export interface ServiceLiveState extends LiveState {
  decider(): Promise<LiveDecider>;
}

export function liveState(
  first: FirstVersion,
  own: OwnVersions | null,
  {
    log,
    topics,
    decoders,
  }: { readonly log: StreamLog; readonly topics: TopicNames; readonly decoders: RecordDecoders },
): ServiceLiveState {
  const changes = async (): Promise<ControlRecord> => {
    if (own === null) return await changesAsked(log, topics.control, decoders);
    const [version] = own.worker.live();
    return version === undefined ? {} : own.watched.changesOf(version);
  };
  const model = async () => {
    const asked = await changes();
    return asked.model === undefined ? first.model : asked.model;
  };
  const thresholds = async () => {
    const { thresholds: asked = null } = await changes();
    if (asked === null || asked.model !== (await model())) return null;
    return { reviewAtRisk: asked.reviewAtRisk, holdAtRisk: asked.holdAtRisk };
  };
  return {
    decidesHere: own !== null,
    versions: () => own?.worker.live() ?? [],
    ...{ model, thresholds },
    async tryChange(change) {
      if (own === null) return;
      const [version = null] = own.worker.live();
      try {
        await own.watched.tryChange(version, change, own.definitions);
      } catch (error) {
        if (!(error instanceof VersionUnavailableError)) throw error;
        throw new InputError(error.code, error.message, 'Put the model into the registry of the service');
      }
    },
    async decider() {
      const { rules, overrides = first.rules.overrides } = await changes();
      const [version] = own?.worker.live() ?? [];
      return {
        ...{ name: version?.rules ?? 'live', model: await model(), thresholds: await thresholds(), overrides },
        rules: (rules === undefined ? first.rules.placed : rules.flatMap((file) => readRuleFile(file).rules)).map(
          sentRule,
        ),
      };
    },
  };
}
