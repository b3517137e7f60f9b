// Certificates of programs through a real handshake: what TLS refuses never reaches the mapping.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type Server, type TLSSocket } from 'node:tls';
import type * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  type CertificateMapping,
  certificatePrincipal,
  readClientCertificate,
} from '../../src/identity/client-certificate.ts';
import type { Principal } from '../../src/identity/principal.ts';
import { DAY_MS, issue, type Pair } from './issued-certificates.ts';

const MAPPINGS: readonly CertificateMapping[] = [
  {
    ...{ id: 'switch', name: 'Switch', permissions: ['transactions:score'] },
    match: { subject: { CN: 'switch', O: 'Banco' }, alternativeName: 'URI:spiffe://banco/switch' },
  },
];

describe('certificates of programs', () => {
  let authority: Pair;
  let server: Server;
  let seen: (principal: Principal | null) => void;

  beforeAll(async () => {
    authority = await issue('CN=Autoridad', null);
    const own = await issue('CN=localhost', authority, [{ type: 'ip', value: '127.0.0.1' }]);
    server = createServer(
      { ...{ cert: own.cert, key: own.key, ca: authority.cert }, requestCert: true, rejectUnauthorized: false },
      (socket: TLSSocket) => {
        const certificate = readClientCertificate(socket.authorized, socket.getPeerCertificate());
        seen(certificate === null ? null : certificatePrincipal(certificate, MAPPINGS));
        socket.end();
      },
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
  });
  afterAll(() => server.close());

  async function principalOf(client: Pair | null): Promise<Principal | null> {
    const result = new Promise<Principal | null>((resolve) => {
      seen = resolve;
    });
    const { port } = server.address() as AddressInfo;
    const own = client === null ? {} : { cert: client.cert, key: client.key };
    const socket = connect({ ...{ host: '127.0.0.1', port, ca: authority.cert }, ...own });
    socket.on('error', () => undefined);
    socket.resume();
    const principal = await result;
    socket.destroy();
    return principal;
  }

  const NAMES: x509.JsonGeneralNames = [{ type: 'url', value: 'spiffe://banco/switch' }];

  it('stand for whom the mapping names', async () => {
    const principal = await principalOf(await issue('CN=switch, O=Banco', authority, NAMES));
    expect(principal).toMatchObject({ kind: 'api-key', id: 'certificate:switch' });
    expect([...principal!.permissions]).toEqual(['transactions:score']);
  });

  it('stand for nobody where there is none, or it is foreign, expired or named otherwise', async () => {
    const foreign = await issue('CN=Autoridad', null);
    expect(await principalOf(null)).toBeNull();
    expect(await principalOf(await issue('CN=switch, O=Banco', foreign, NAMES))).toBeNull();
    expect(await principalOf(await issue('CN=switch, O=Banco', null, NAMES))).toBeNull();
    expect(await principalOf(await issue('CN=switch, O=Banco', authority, NAMES, Date.now() - DAY_MS))).toBeNull();
    expect(await principalOf(await issue('CN=switch, O=Otro', authority, NAMES))).toBeNull();
    expect(await principalOf(await issue('CN=switch, O=Banco', authority))).toBeNull();
  });

  it('cannot say a name twice, or hide one in another', async () => {
    expect(await principalOf(await issue('CN=otro, CN=switch, O=Banco', authority, NAMES))).toBeNull();
    const hidden: x509.JsonGeneralNames = [{ type: 'dns', value: 'x.example, URI:spiffe://banco/switch' }];
    expect(await principalOf(await issue('CN=switch, O=Banco', authority, hidden))).toBeNull();
  });
});
