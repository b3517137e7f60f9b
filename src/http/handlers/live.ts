// Server-sent events (WHATWG HTML, 9.2): an event a decision or alert; a comment now and then, so that proxies keep the line.
import { type LiveFeed, LiveFullError, type Watcher } from '../../jobs/live/live-feed.ts';
import type { Handlers } from '../asked.ts';
import { Problem } from '../problem.ts';

const HEARTBEAT_MS = 15_000;
/** Then the client asks again: whoever lost their permission meanwhile is not told for long. */
const MOST_MS = 10 * 60_000;

export function liveHandlers(feed: LiveFeed): Pick<Handlers, 'watch'> {
  return {
    async watch({ query, aborted, nowMs }) {
      const watcher = open(feed, query.only === undefined ? ['decision', 'alert'] : [query.only]);
      aborted.addEventListener('abort', () => watcher.close());
      return { body: eventsOf(watcher, aborted, nowMs), headers: { 'x-accel-buffering': 'no' } };
    },
  };
}

function open(feed: LiveFeed, wants: readonly ('decision' | 'alert')[]): Watcher {
  try {
    return feed.watch(wants);
  } catch (error) {
    if (!(error instanceof LiveFullError)) throw error;
    throw new Problem(503, error.code, error.message, { 'retry-after': '10' });
  }
}

async function* eventsOf(watcher: Watcher, aborted: AbortSignal, begunMs: number): AsyncGenerator<string> {
  yield 'retry: 2000\n\n';
  try {
    while (watcher.isOpen() && !aborted.aborted && Date.now() - begunMs < MOST_MS) {
      const events = await watcher.take(HEARTBEAT_MS);
      yield events.length === 0
        ? ': \n\n'
        : events.map(({ kind, data }) => `event: ${kind}\ndata: ${data}\n\n`).join('');
    }
  } finally {
    watcher.close();
  }
}
