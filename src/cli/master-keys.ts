// Where master keys are: a file, a variable, Vault or KMS; one option for every command that seals or opens.
//
// Secrets come from the environment, in the variables that other programs for these services read, too: they never stand on
// the command line.
import { readFile } from 'node:fs/promises';
import { openKeyFile } from '../adapters/keys/key-file.ts';
import { KmsMasterKeys } from '../adapters/keys/kms-master-keys.ts';
import { createVariableMasterKeys } from '../adapters/keys/variable-master-keys.ts';
import { openVaultMasterKeys } from '../adapters/keys/vault-master-keys.ts';
import { readVariable } from '../config/environment.ts';
import { InputError } from '../lib/errors.ts';
import type { MasterKeys } from '../ports.ts';
import { combineMasterKeys } from '../privacy/master-keys.ts';
import type { OptionSpec, OptionValues } from './command.ts';

export const MASTER_KEYS_OPTION = {
  type: 'text',
  value: 'PLACES',
  help:
    'master keys: a file, vault:MOUNT/KEY, kms:KEY or variable (CENTINELA_MASTER_KEYS, read where nothing is given); what ' +
    'follows after a comma still opens what it wrapped',
} as const satisfies OptionSpec;

/** For dead letters. */
export const LETTER_KEYS_OPTION = {
  'master-keys': { ...MASTER_KEYS_OPTION, help: `dead letters are sealed under these: ${MASTER_KEYS_OPTION.help}` },
} as const satisfies Record<string, OptionSpec>;

const VARIABLE = 'CENTINELA_MASTER_KEYS';
const VAULT = /^vault:(.+)\/([^/]+)$/;
const KMS = /^kms:(.+)$/;
const DEFAULT_REGION = 'us-east-1';

/**
 * Where nothing is said, the variable, and then the file.
 *
 * @param file where there is neither; null for none
 * @param mayCreate a file that is the current master and not there
 * @returns null where there is none at all
 * @throws InputError MASTER_KEYS_PLACE, VAULT_NO_ADDRESS, VAULT_NO_TOKEN, KMS_NO_KEY, and those of the places;
 *   KeysUnavailableError
 */
export async function openMasterKeys(
  options: OptionValues,
  { file, mayCreate }: { readonly file: string | null; readonly mayCreate: boolean },
): Promise<MasterKeys | null> {
  const given = options['master-keys'];
  const variable = readVariable(VARIABLE);
  const places = typeof given === 'string' ? given.split(',').map((place) => place.trim()) : [];
  if (places.length === 0 && variable !== null) return createVariableMasterKeys(variable);
  if (places.length === 0 && file !== null) places.push(file);
  if (places.length === 0) return null;
  const [current, ...older] = await Promise.all(places.map((place, at) => openPlace(place, mayCreate && at === 0)));
  return older.length === 0 ? current : combineMasterKeys(current, older);
}

/** Those that are given, and null where none are. @throws as `openMasterKeys` */
export function openGivenMasters(options: OptionValues): Promise<MasterKeys | null> {
  return openMasterKeys(options, { file: null, mayCreate: false });
}

async function openPlace(place: string, mayCreate: boolean): Promise<MasterKeys> {
  const [, mount, keyName] = VAULT.exec(place) ?? [];
  if (mount !== undefined) return await openVault(place, mount, keyName);
  const [, keyId] = KMS.exec(place) ?? [];
  if (keyId !== undefined) return openKms(place, keyId);
  if (place === '' || place.startsWith('vault:') || place.startsWith('kms:')) {
    throw new InputError(
      'MASTER_KEYS_PLACE',
      `'${place}' names no master key`,
      'Give a file, vault:transit/NAME, kms:ID or variable',
    );
  }
  if (place === 'variable') return createVariableMasterKeys(demand(VARIABLE, place, 'MASTER_KEYS_PLACE'));
  return await openKeyFile(place, { mayCreate });
}

async function openVault(place: string, mount: string, keyName: string): Promise<MasterKeys> {
  const file = readVariable('VAULT_TOKEN_FILE');
  // An agent renews the token in its file: it is read again for each request.
  const token =
    file === null ? async () => demand('VAULT_TOKEN', place, 'VAULT_NO_TOKEN') : () => readFile(file, 'utf8');
  return await openVaultMasterKeys({
    ...{ address: demand('VAULT_ADDR', place, 'VAULT_NO_ADDRESS'), mount, keyName, token },
    namespace: readVariable('VAULT_NAMESPACE'),
  });
}

function openKms(place: string, keyId: string): MasterKeys {
  const [, , , regionOfKey] = keyId.startsWith('arn:') ? keyId.split(':') : [];
  return new KmsMasterKeys({
    keyId,
    region: regionOfKey ?? readVariable('AWS_REGION') ?? readVariable('AWS_DEFAULT_REGION') ?? DEFAULT_REGION,
    endpoint: readVariable('AWS_ENDPOINT_URL_KMS') ?? readVariable('AWS_ENDPOINT_URL'),
    accessKeyId: demand('AWS_ACCESS_KEY_ID', place, 'KMS_NO_KEY'),
    secretAccessKey: demand('AWS_SECRET_ACCESS_KEY', place, 'KMS_NO_KEY'),
    sessionToken: readVariable('AWS_SESSION_TOKEN'),
  });
}

function demand(variable: string, place: string, code: string): string {
  const value = readVariable(variable);
  if (value !== null) return value;
  throw new InputError(code, `The master key ${place} needs ${variable}, which is not set`, `Set ${variable}`);
}
