// Which addresses may be reached by a URL that an administrator wrote: public ones, and those networks that are named.
//
// Without it a webhook would be a way into the bank's network for whoever may set one (server-side request forgery, OWASP
// Top 10 A10:2021). Ranges: IANA's special-purpose registries for IPv4 and IPv6 (RFC 6890), and the addresses at which
// clouds hand out their machines' keys, which no setting opens.
import { BlockList, isIP } from 'node:net';
import { InputError } from '../../lib/errors.ts';

const SPECIAL: readonly (readonly [address: string, prefix: number])[] = [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.0.2.0', 24],
    ['192.31.196.0', 24],
    ['192.52.193.0', 24],
  ] as const),
  ...([
    ['192.88.99.0', 24],
    ['192.168.0.0', 16],
    ['192.175.48.0', 24],
    ['198.18.0.0', 15],
  ] as const),
  ...([
    ['198.51.100.0', 24],
    ['203.0.113.0', 24],
    ['224.0.0.0', 4],
    ['240.0.0.0', 4],
  ] as const),
  // IPv6 outside of global unicast (2000::/3) is refused as a whole; these lie within it.
  ...([
    ['2001::', 23],
    ['2001:db8::', 32],
    ['2002::', 16],
    ['2620:4f:8000::', 48],
    ['3fff::', 20],
  ] as const),
];
const METADATA = ['169.254.169.254', '169.254.170.2', '100.100.100.200', '192.0.0.192', 'fd00:ec2::254'];

export interface NetworkGuard {
  /** @param address IPv4 or IPv6, no name */
  isAllowed(address: string): boolean;
}

/** @param allowed networks that may be reached though they are not public, CIDR @throws InputError where one is none */
export function createNetworkGuard(allowed: readonly string[]): NetworkGuard {
  const special = new BlockList();
  for (const [address, prefix] of SPECIAL) special.addSubnet(address, prefix, familyOf(address));
  const unicast = new BlockList();
  unicast.addSubnet('2000::', 3, 'ipv6');
  const metadata = new BlockList();
  for (const address of METADATA) metadata.addAddress(address, familyOf(address));
  const opened = new BlockList();
  for (const network of allowed) addNetwork(opened, network);

  return {
    isAllowed(text) {
      const address = unwrapped(text);
      if (isIP(address) === 0) return false;
      const family = familyOf(address);
      if (metadata.check(address, family)) return false;
      if (opened.check(address, family)) return true;
      return !special.check(address, family) && (family === 'ipv4' || unicast.check(address, 'ipv6'));
    },
  };
}

/** Whether it is this machine: what is said to it does not cross a wire. */
export function isLoopback(text: string): boolean {
  const address = unwrapped(text);
  return address === '::1' || (isIP(address) === 4 && address.startsWith('127.'));
}

/** An IPv4 address that is written as IPv6 (`::ffff:10.0.0.1`, RFC 4291 §2.5.5.2) is judged as what it is. */
function unwrapped(text: string): string {
  const bare = text.replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare;
  // The URL parser writes it in its one canonical form (RFC 5952), hexadecimal.
  const canonical = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const match = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical);
  if (match === null) return canonical;
  const [high, low] = [Number.parseInt(match[1], 16), Number.parseInt(match[2], 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function familyOf(address: string): 'ipv4' | 'ipv6' {
  return isIP(address) === 4 ? 'ipv4' : 'ipv6';
}

function addNetwork(list: BlockList, network: string): void {
  const [address = '', prefixText = ''] = network.split('/');
  const version = isIP(address);
  const prefix = /^\d{1,3}$/.test(prefixText) ? Number(prefixText) : Number.NaN;
  if (version === 0 || !(prefix >= 0 && prefix <= (version === 4 ? 32 : 128))) {
    throw new InputError('NETWORK_INVALID', `'${network}' is no network`, "Write it as '10.20.0.0/16'");
  }
  list.addSubnet(address, prefix, familyOf(address));
}
