// Where what can be made again is kept between runs: the user's own cache (XDG Base Directory Specification).
import { homedir } from 'node:os';
import { join } from 'node:path';
import { readVariable } from '../config/environment.ts';

/** null where the user has no home, as in some containers: then nothing is kept. */
export function userCache(): string | null {
  const given = readVariable('XDG_CACHE_HOME');
  if (given?.startsWith('/') === true) return join(given, 'centinela');
  try {
    return join(homedir(), '.cache', 'centinela');
  } catch {
    return null;
  }
}
