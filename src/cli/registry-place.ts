// Where the service keeps rules, lists and models: what is given, else its own folder beside its records, log and keys, so that
// they are copied together. Other commands work in a folder of their own, out/registry, which the service used before, too.
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { InputError } from '../lib/errors.ts';
import type { OptionValues } from './command.ts';
import { RULE_BOOK } from './live-rules.ts';
import { MODELS_OPTION } from './models.ts';

/** By which a folder shows that a service has worked in it. */
const OF_A_SERVICE = ['records', 'log', 'objects'];

/**
 * Asked before anything is made in the folder.
 *
 * @param before where it was until now
 * @throws InputError REGISTRY_ELSEWHERE where what the service needs may lie there
 */
export async function registryOf(
  { registry, model, rules }: OptionValues,
  data: string,
  warn: (message: string) => void,
  before: string = MODELS_OPTION.default,
): Promise<string> {
  if (typeof registry === 'string') return registry;
  const own = join(data, 'registry');
  if (!existsSync(own) && existsSync(before)) {
    const found = `${before} exists and ${own} does not: without --registry, rules, lists and models are kept in the latter`;
    const wasUsed = OF_A_SERVICE.some((name) => existsSync(join(data, name)));
    if (wasUsed || model !== undefined || rules === RULE_BOOK) {
      const hint = `Give --registry ${before}, or move it: mv ${before} ${own}`;
      throw new InputError('REGISTRY_ELSEWHERE', found, hint);
    }
    warn(found);
  }
  await mkdir(own, { recursive: true });
  return own;
}
