// Progress of long work on standard error: a bar on a terminal, nothing elsewhere.

export interface Progress {
  /** @param share how much is done, 0 to 1 */
  show(what: string, share: number): void;
  done(): void;
}

const WIDTH = 30;
const MIN_INTERVAL_MS = 100;

export function createProgress(write: (text: string) => void, terminal: boolean, nowMs: () => number): Progress {
  if (!terminal) return { show: () => undefined, done: () => undefined };
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let shown = false;
  return {
    show(what, share) {
      const now = nowMs();
      if (now - shownAtMs < MIN_INTERVAL_MS) return;
      shownAtMs = now;
      shown = true;
      const filled = Math.round(Math.max(0, Math.min(1, share)) * WIDTH);
      write(
        `\r\x1b[K${what.padEnd(24)} ${'█'.repeat(filled)}${'░'.repeat(WIDTH - filled)} ${Math.round(share * 100)} %`,
      );
    },
    done() {
      if (shown) write('\r\x1b[K');
      shown = false;
    },
  };
}
