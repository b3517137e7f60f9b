// When the governor would have acted: what both versions share is told once.
import type { Bilingual } from '../report-data.ts';
import type { GovernorEpisode, ReplayData } from './replay-data.ts';
import { REPLAY_TEXTS as T } from './replay-texts.ts';

export interface ToldEpisode extends GovernorEpisode {
  readonly version: Bilingual;
}

/** In the order of time. */
export function episodesTold({ live, candidate }: ReplayData['governor']): ToldEpisode[] {
  const same = (a: GovernorEpisode, b: GovernorEpisode) =>
    a.fromMs === b.fromMs && a.untilMs === b.untilMs && a.cause === b.cause;
  const isShared = (episode: GovernorEpisode) => candidate.some((other) => same(episode, other));
  return [
    ...live.map((episode) => ({ ...episode, version: isShared(episode) ? T.bothVersions : T.live })),
    ...candidate
      .filter((episode) => !live.some((other) => same(episode, other)))
      .map((episode) => ({ ...episode, version: T.candidate })),
  ].sort((a, b) => a.fromMs - b.fromMs);
}
