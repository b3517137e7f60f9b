// What decides now, and by which changes it came to be so: for those who ask what is live, and who replay against it.
import type { ControlRecord } from '../../domain/stream-records.ts';
import type { FeatureDefinition } from '../../features/definition.ts';
import { InputError } from '../../lib/errors.ts';
import type { LiveVersion, RecordDecoders } from '../../pipeline/stream/partition-fold.ts';
import type { VersionSource } from '../../pipeline/stream/versions.ts';
import type { StreamLog } from '../../ports.ts';

export interface WatchedVersions {
  /** In place of the source that is watched. */
  readonly versions: VersionSource;
  /** All that was changed since the service's own rules and model. */
  changesOf(version: LiveVersion): ControlRecord;
  /**
   * Makes it, and lets go of it.
   *
   * @param from null: what decides before the first change
   * @throws InputError, VersionUnavailableError as `VersionSource.change`
   */
  tryChange(from: LiveVersion | null, change: ControlRecord, definitions: readonly FeatureDefinition[]): Promise<void>;
}

export function watchVersions(source: VersionSource): WatchedVersions {
  const changes = new WeakMap<LiveVersion, ControlRecord>();
  return {
    versions: {
      initial: (definitions) => source.initial(definitions),
      async change(from, change, definitions) {
        const version = await source.change(from, change, definitions);
        changes.set(version, { ...changes.get(from), ...change });
        return version;
      },
    },
    changesOf: (version) => changes.get(version) ?? {},
    async tryChange(from, change, definitions) {
      await source.change(from ?? (await source.initial(definitions)), change, definitions);
    },
  };
}

const MOST_CONTROLS = 1000;
const READ_AT_ONCE = 100;

/** What the topic of changes asks for altogether, where workers elsewhere take them. Of those before the last 1,000 nothing is known. */
export async function changesAsked(
  log: Pick<StreamLog, 'bounds' | 'read'>,
  topic: string,
  decoders: Pick<RecordDecoders, 'control'>,
): Promise<ControlRecord> {
  let asked: ControlRecord = {};
  for (const { partition, start, end } of await log.bounds(topic)) {
    for (let offset = Math.max(start, end - MOST_CONTROLS); offset < end; ) {
      const records = await log.read({ topic, partition, offset }, READ_AT_ONCE, 0);
      for (const { value } of records)
        asked = { ...asked, ...(value === null ? null : decodedOrNull(value, decoders)) };
      offset = records.length === 0 ? end : records[records.length - 1].offset + 1;
    }
  }
  return asked;
}

/** What is no change was refused where it came in. */
function decodedOrNull(value: Uint8Array, decoders: Pick<RecordDecoders, 'control'>): ControlRecord | null {
  try {
    return decoders.control(value);
  } catch (error) {
    if (error instanceof InputError) return null;
    throw error;
  }
}
