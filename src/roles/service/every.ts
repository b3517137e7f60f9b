// Work that comes round.

/** One run at a time. @returns ends it; what is under way goes on */
export function every(ms: number, run: () => Promise<unknown>, onTrouble: (error: Error) => void): () => void {
  let isRunning = false;
  const timer = setInterval(() => {
    if (isRunning) return;
    isRunning = true;
    run()
      .catch(onTrouble)
      .finally(() => {
        isRunning = false;
      });
  }, ms);
  return () => clearInterval(timer);
}

export function after(ms: number, call: () => void): () => void {
  const timer = setTimeout(call, ms);
  return () => clearTimeout(timer);
}
