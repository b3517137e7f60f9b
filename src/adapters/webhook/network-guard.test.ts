import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createNetworkGuard, isLoopback } from './network-guard.ts';

const guard = createNetworkGuard([]);

describe('the network guard', () => {
  it('lets public addresses through and keeps everything special out', () => {
    for (const address of [
      '8.8.8.8',
      '190.43.1.2',
      '172.32.0.1',
      '2800:200:e840::1',
      '2606:4700::1111',
      '::ffff:8.8.8.8',
    ]) {
      expect([address, guard.isAllowed(address)]).toEqual([address, true]);
    }
    const special = [
      ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '127.9.9.9', '169.254.169.254', '169.254.1.1'],
      ...['172.16.0.1', '172.31.255.255', '192.168.1.1', '198.18.0.1', '203.0.113.7', '224.0.0.1', '240.0.0.1'],
      ...[
        '255.255.255.255',
        '::',
        '::1',
        'fe80::1',
        'fe80::1%eth0',
        'fc00::1',
        'fd00:ec2::254',
        'ff02::1',
        '2002:a00:1::',
      ],
      ...['64:ff9b::a00:1', '::ffff:10.0.0.1', '::ffff:a00:1', '0:0:0:0:0:ffff:7f00:1', '::10.0.0.1', '2001:db8::1'],
      ...['localhost', 'example.com', '', '1', '0x7f000001', '127.1'],
    ];
    for (const address of special) expect([address, guard.isAllowed(address)]).toEqual([address, false]);
  });

  it('judges an IPv4 address the same however IPv6 writes it', () => {
    const opened = createNetworkGuard(['10.20.0.0/16']);
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const [a, b, c, d] = address.split('.').map(Number);
        const hexadecimal = `::ffff:${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
        for (const each of [guard, opened]) {
          expect(each.isAllowed(hexadecimal)).toBe(each.isAllowed(address));
          expect(each.isAllowed(`::ffff:${address}`)).toBe(each.isAllowed(address));
        }
        expect(isLoopback(hexadecimal)).toBe(isLoopback(address));
      }),
    );
  });

  it('opens the networks that are named and no others, and never the addresses of machine keys', () => {
    const opened = createNetworkGuard(['10.20.0.0/16', '169.254.0.0/16', 'fd12::/32', '127.0.0.0/8', 'fd00::/8']);
    expect(opened.isAllowed('10.20.255.1')).toBe(true);
    expect(opened.isAllowed('10.21.0.1')).toBe(false);
    expect(opened.isAllowed('fd12::5')).toBe(true);
    expect(opened.isAllowed('127.0.0.1')).toBe(true);
    expect(opened.isAllowed('169.254.169.254')).toBe(false);
    expect(opened.isAllowed('::ffff:a9fe:a9fe')).toBe(false);
    expect(opened.isAllowed('fd00:ec2::254')).toBe(false);
  });

  it('says which network is none', () => {
    for (const network of ['10.0.0.0', '10.0.0.0/33', '10.0.0/8', 'fd00::/129', 'x/8', '10.0.0.0/']) {
      expect(() => createNetworkGuard([network])).toThrow(network);
    }
  });
});
