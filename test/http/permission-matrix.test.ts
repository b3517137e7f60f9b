// Every route of the contract × every role, and nobody, and a key: allowed exactly where the role has the permission.
import { describe, expect, it } from 'vitest';
import { ENDPOINTS, type EndpointSpec } from '../../src/http/contract.ts';
import { PERMISSIONS_OF, type Permission, ROLES } from '../../src/identity/permissions.ts';
import { describeOnEachEngine } from '../records/record-stores.ts';
import { type Caller, type Reply, startTestService } from './running-service.ts';

const endpoints = Object.entries(ENDPOINTS) as [string, EndpointSpec][];
/** They would end the sessions that the test works with, or use up what they may be asked for in a minute. */
const OWN_SESSION = new Set([
  'logOut',
  'changePassword',
  'disableTotp',
  'confirmTotp',
  'enrolTotp',
  'renewRecoveryCodes',
  'endSession',
]);

/** Asks with nothing that is right: who may come in is judged before what was sent. */
function knock(caller: Caller, { method, path, body, bodyKind, query }: EndpointSpec): Promise<Reply> {
  const filled = path
    .replaceAll('::', '\u0000')
    .replace(/:[A-Za-z]+/g, 'nada')
    .replaceAll('\u0000', ':');
  const name = query !== undefined && 'name' in query.properties ? '?name=x.txt' : '';
  const raw = body === undefined && bodyKind === undefined ? undefined : '{';
  const type =
    bodyKind === 'ndjson'
      ? 'application/x-ndjson'
      : bodyKind === 'file'
        ? 'application/octet-stream'
        : 'application/json';
  return caller.ask(filled + name, { method, ...(raw !== undefined && { raw, headers: { 'content-type': type } }) });
}

it('every endpoint says who may ask, and every permission is asked for somewhere or kept for what is to come', () => {
  for (const [name, { access }] of endpoints) expect(access, name).toBeTypeOf('string');
});

describeOnEachEngine('permissions', (open) => {
  describe('of each role', () => {
    it('each route answers 401 to strangers, 403 to who lacks the permission, and otherwise neither', async () => {
      const service = await startTestService(await open());
      try {
        const wrong: string[] = [];
        const callers: [string, Caller, ReadonlySet<Permission> | null][] = [['stranger', service.stranger, null]];
        for (const role of ROLES) callers.push([role, await service.as(role), new Set(PERMISSIONS_OF[role])]);
        callers.push([
          'key',
          await service.withKey(['transactions:score']),
          new Set<Permission>(['transactions:score']),
        ]);
        const knockAll = async ([who, caller, permissions]: (typeof callers)[number]) => {
          for (const [name, spec] of endpoints) {
            if (OWN_SESSION.has(name) && permissions !== null) continue;
            const { status, json } = await knock(caller, spec);
            const { access } = spec;
            const mayPass =
              access === 'anyone' || (permissions !== null && (access === 'signed-in' || permissions.has(access)));
            const isRefused = json?.code === 'NOT_KNOWN' || json?.code === 'NOT_ALLOWED';
            const isRight = mayPass
              ? !isRefused && status < 500
              : status === (permissions === null ? 401 : 403) && isRefused;
            if (!isRight) wrong.push(`${who} ${spec.method} ${spec.path}: ${status} ${json?.code ?? ''}`);
          }
        };
        await Promise.all(callers.map(knockAll));
        expect(wrong).toEqual([]);
      } finally {
        await service.stop();
      }
    }, 180_000);
  });
});
