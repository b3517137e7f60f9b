// Progress of long work on standard error: a bar on a terminal, elsewhere only what is worth a line.

export interface Progress {
  /** @param share how much is done, 0 to 1 */
  show(what: string, share: number): void;
  /** In the bar's place; at most one in a tenth of a second is seen. */
  say(text: string): void;
  /** Stays, on a terminal and elsewhere. */
  line(text: string): void;
  done(): void;
}

const WIDTH = 30;
const MIN_INTERVAL_MS = 100;

export function createProgress(write: (text: string) => void, terminal: boolean, nowMs: () => number): Progress {
  if (!terminal) {
    return { show: () => undefined, say: () => undefined, line: (text) => write(`${text}\n`), done: () => undefined };
  }
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let shown = false;
  const say = (text: string): void => {
    const now = nowMs();
    if (now - shownAtMs < MIN_INTERVAL_MS) return;
    shownAtMs = now;
    shown = true;
    write(`\r\x1b[K${text}`);
  };
  const done = (): void => {
    if (shown) write('\r\x1b[K');
    shown = false;
  };
  return {
    show(what, share) {
      const filled = Math.round(Math.max(0, Math.min(1, share)) * WIDTH);
      say(`${what.padEnd(24)} ${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${Math.round(share * 100)} %`);
    },
    say,
    line(text) {
      done();
      write(`${text}\n`);
    },
    done,
  };
}
