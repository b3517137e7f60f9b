// Networks that a key may be used from, as people write them: 10.20.0.0/16, 2800:200::/32, 192.0.2.7.
import { BlockList, isIP, isIPv4 } from 'node:net';
import { InputError } from '../lib/errors.ts';

export const MOST_NETWORKS = 50;

export type NetworkCheck = (address: string) => boolean;

/**
 * Is an address in one of the networks? An IPv4 address that comes as an IPv6 one (::ffff:10.0.0.1) is the same address.
 *
 * @throws InputError with code `NETWORK_INVALID`
 */
export function networkCheck(networks: readonly string[]): NetworkCheck {
  if (networks.length > MOST_NETWORKS) {
    throw new InputError('NETWORK_INVALID', `${networks.length} networks`, `Give ${MOST_NETWORKS} at most`);
  }
  const list = new BlockList();
  for (const network of networks) {
    const [address, prefix, ...more] = network.split('/');
    const bits = isIPv4(address) ? 32 : 128;
    const length = prefix === undefined ? bits : /^\d{1,3}$/.test(prefix) ? Number(prefix) : Number.NaN;
    // A zero length is everybody: that is what leaving the networks out means, and nobody writes it by mistake.
    if (isIP(address) === 0 || address.includes('%') || more.length > 0 || !(length >= 1 && length <= bits)) {
      throw new InputError(
        'NETWORK_INVALID',
        `'${network}' is no network`,
        "Write it like '10.20.0.0/16' or '192.0.2.7'",
      );
    }
    list.addSubnet(address, length, bits === 32 ? 'ipv4' : 'ipv6');
  }
  return (address) => {
    const version = isIP(address);
    return version !== 0 && list.check(address, version === 4 ? 'ipv4' : 'ipv6');
  };
}
