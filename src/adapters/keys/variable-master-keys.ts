// Master keys given as text by the configuration (an environment variable that a secret store fills).
import { InputError } from '../../lib/errors.ts';
import { LocalMasterKeys } from './local-master-keys.ts';

const SHAPE = /^[A-Za-z0-9+/]{43}=$/;

/**
 * @param text keys of 32 bytes in Base64, the current one first, separated by commas
 * @throws InputError MASTER_KEY_INVALID; the message does not repeat the text
 */
export function createVariableMasterKeys(text: string): LocalMasterKeys {
  return new LocalMasterKeys('variable', readKeys(text.split(','), 'The variable of the master key'));
}

/** @param where for messages */
export function readKeys(texts: readonly string[], where: string): Buffer[] {
  return texts.map((text, index) => {
    const key = text.trim();
    if (SHAPE.test(key)) return Buffer.from(key, 'base64');
    throw new InputError(
      'MASTER_KEY_INVALID',
      `${where}: key ${index + 1} is not 32 bytes in Base64 (44 characters)`,
      'Make one with: openssl rand -base64 32',
    );
  });
}
