// The master keys that a command is given: a file, else the variable that a secret store fills.
import { openKeyFile } from '../adapters/keys/key-file.ts';
import { createVariableMasterKeys } from '../adapters/keys/variable-master-keys.ts';
import { readVariable } from '../config/environment.ts';
import type { MasterKeys } from '../privacy/master-keys.ts';
import type { OptionSpec, OptionValues } from './command.ts';

/** For dead letters. */
export const LETTER_KEYS_OPTION = {
  'master-keys': {
    type: 'text',
    value: 'FILE',
    help: 'dead letters are sealed under these; CENTINELA_MASTER_KEYS where it is not given',
  },
} as const satisfies Record<string, OptionSpec>;

/** null where none are given. @throws InputError */
export async function openGivenMasters(options: OptionValues): Promise<MasterKeys | null> {
  const file = options['master-keys'];
  if (typeof file === 'string') return await openKeyFile(file, { mayCreate: false });
  const variable = readVariable('CENTINELA_MASTER_KEYS');
  return variable === null ? null : createVariableMasterKeys(variable);
}
