// People and programs that may come in. Identity asks for permissions again, and writes its own audit.
import type { Identity } from '../../records/identity/identity.ts';
import type { Asked, Handlers } from '../asked.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import type { EndpointSpec } from '../contract.ts';
import { Problem } from '../problem.ts';

type UserHandlers = Pick<
  Handlers,
  | (
      | 'listUsers'
      | 'createUser'
      | 'getUser'
      | 'changeUser'
      | 'inviteUser'
      | 'unlockUser'
      | 'resetTotp'
      | 'endUserSessions'
    )
  | ('listApiKeys' | 'createApiKey' | 'rotateApiKey' | 'revokeApiKey')
>;

export function userHandlers(identity: Identity): UserHandlers {
  return {
    async listUsers(asked) {
      const { cursor = null, limit = DEFAULT_PAGE } = asked.query;
      const { users, next } = await identity.listUsers(actorOf(asked), cursor, limit);
      return { body: { rows: users, next } };
    },
    async createUser(asked) {
      const { email = null, ...details } = asked.body;
      const { user, invitation } = await identity.createUser(actorOf(asked), { ...details, email });
      return { body: { user, invitation }, version: user.version };
    },
    async getUser(asked) {
      const user = await identity.findUser(actorOf(asked), asked.params.userId);
      return { body: user, version: user.version };
    },
    async changeUser(asked) {
      const { ifMatch, params, body } = asked;
      if (ifMatch === null) throw new Problem(428, 'IF_MATCH_MISSING', 'Send If-Match with the ETag that you saw');
      const user = await identity.changeUser(actorOf(asked), { id: params.userId, version: ifMatch }, body);
      return { body: user, version: user.version };
    },
    inviteUser: async (asked) => ({ body: await identity.invite(actorOf(asked), asked.params.userId) }),
    async unlockUser(asked) {
      await identity.unlockUser(actorOf(asked), asked.params.userId);
      return { body: null };
    },
    async resetTotp(asked) {
      await identity.resetTotp(actorOf(asked), asked.params.userId);
      return { body: null };
    },
    endUserSessions: async (asked) => ({
      body: { ended: await identity.endSessions(actorOf(asked), asked.params.userId) },
    }),
    async listApiKeys(asked) {
      const { cursor = null, limit = DEFAULT_PAGE } = asked.query;
      const { keys, next } = await identity.listKeys(actorOf(asked), cursor, limit);
      return { body: { rows: keys, next } };
    },
    createApiKey: async (asked) => ({
      body: await identity.createKey(actorOf(asked), { ...asked.body, networks: asked.body.networks ?? [] }),
    }),
    rotateApiKey: async (asked) => ({
      body: await identity.rotateKey(actorOf(asked), asked.params.keyId, asked.body),
    }),
    async revokeApiKey(asked) {
      await identity.revokeKey(actorOf(asked), asked.params.keyId);
      return { body: null };
    },
  };
}

function actorOf({ principal, address }: Asked<EndpointSpec>) {
  return { principal: principal!, address };
}
