// What comes a moment later: looked for until it is there.

const LOOK_MS = 50;
const MOST_LOOKS = 600;

export async function eventually<T>(look: () => Promise<T | null>): Promise<T> {
  for (let attempt = 0; attempt < MOST_LOOKS; attempt++) {
    const found = await look();
    if (found !== null) return found;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  throw new Error('it did not come');
}
