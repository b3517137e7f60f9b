// The audit's private key under the bank's master key, as data keys are: what is kept names the master that wrapped it.
import { InputError } from '../../lib/errors.ts';
import type { MasterKeys } from '../../ports.ts';
import type { KeySealing } from './keys.ts';

const END_OF_ID = 0;

export function sealedByMasterKeys(masters: MasterKeys): KeySealing {
  return {
    async seal(plain, context) {
      const [wrapped] = await masters.wrap([{ bytes: plain, context }]);
      return new Uint8Array(Buffer.concat([Buffer.from(masters.currentId), Buffer.of(END_OF_ID), wrapped]));
    },
    async open(sealed, context) {
      const masterId = masterOfSealed(sealed);
      if (masterId === '' || !masters.opens(masterId)) {
        const problem = `The audit's signing key is wrapped by the master key '${masterId}', which is not here`;
        throw new InputError('AUDIT_KEY_SEALED', problem, 'Give that master key, too');
      }
      const [plain] = await masters.unwrap(masterId, [
        { bytes: sealed.subarray(sealed.indexOf(END_OF_ID) + 1), context },
      ]);
      return plain;
    },
  };
}

/** Id of the master key; empty where nothing is sealed any more. */
export function masterOfSealed(sealed: Uint8Array): string {
  return Buffer.from(sealed.subarray(0, Math.max(0, sealed.indexOf(END_OF_ID)))).toString('utf8');
}
