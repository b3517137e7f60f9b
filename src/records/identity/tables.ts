// The tables of identity, as Kysely knows them (migrations/0003-identity.ts). Of secrets only hashes are kept; what must be
// read again (the secrets of one-time codes) is sealed.
import type { TotpState, UserState } from '../../identity/user.ts';

export interface UserTable {
  id: string;
  login: string;
  display_name: string;
  email: string | null;
  roles: string[];
  state: UserState;
  /** null: invited, or known to the identity provider. */
  password_hash: string | null;
  totp_state: TotpState;
  totp_secret: Uint8Array | null;
  totp_last_step: number | null;
  issuer: string | null;
  subject: string | null;
  created_ms: number;
  last_login_ms: number | null;
  version: number;
}

export interface RecoveryCodeTable {
  user_id: string;
  code_hash: Uint8Array;
  used_ms: number | null;
}

/** Links that work once; used ones are deleted. */
export interface UserTokenTable {
  token_hash: Uint8Array;
  kind: 'setup' | 'invitation' | 'password-reset';
  user_id: string | null;
  expires_ms: number;
}

export interface SessionTable {
  id: string;
  token_hash: Uint8Array;
  user_id: string;
  method: 'password' | 'provider';
  created_ms: number;
  last_seen_ms: number;
  expires_ms: number;
  address: string | null;
  user_agent: string | null;
}

export interface LoginFailureTable {
  /** `login:<hash>` or `address:<network>`. */
  key: string;
  failures: number;
  last_ms: number;
  locked_until_ms: number;
}

/** Who is at the identity provider and has not come back. */
export interface ProviderRequestTable {
  state_hash: Uint8Array;
  /** Of the cookie of the browser that went there. */
  browser_hash: Uint8Array;
  sealed: Uint8Array;
  expires_ms: number;
}

export interface ApiKeyTable {
  id: string;
  name: string;
  secret_hash: Uint8Array;
  scopes: string[];
  /** Empty: anywhere. */
  networks: string[];
  made_by: string;
  replaces: string | null;
  created_ms: number;
  expires_ms: number;
  revoked_ms: number | null;
  last_used_ms: number | null;
  version: number;
}

export interface IdentityTables {
  users: UserTable;
  user_recovery_codes: RecoveryCodeTable;
  user_tokens: UserTokenTable;
  sessions: SessionTable;
  login_failures: LoginFailureTable;
  provider_requests: ProviderRequestTable;
  api_keys: ApiKeyTable;
}
