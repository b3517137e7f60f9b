// Secrets of the whole installation that are kept wrapped among the records: the pepper of tokens, and others.
import { randomBytes as systemRandomBytes } from 'node:crypto';
import type { MasterKeys } from '../ports.ts';

export interface StoredSecret {
  readonly name: string;
  readonly masterId: string;
  readonly wrapped: Uint8Array;
  readonly createdMs: number;
}

export interface SecretTable {
  secret(name: string): Promise<StoredSecret | null>;
  /** The one that is kept: of two that are added at once one. Durable when it resolves. */
  addSecret(secret: StoredSecret): Promise<StoredSecret>;
}

export const PEPPER = 'subject-pepper';
const SECRET_BYTES = 32;

/** 32 bytes, for `Tokens`. */
export function openPepper(
  table: SecretTable,
  masters: MasterKeys,
  nowMs: number,
  randomBytes: (bytes: number) => Uint8Array = systemRandomBytes,
): Promise<Uint8Array> {
  return openSecret(PEPPER, table, masters, nowMs, randomBytes);
}

/** 32 random bytes, always the same ones for a name: made when they are asked for the first time. */
export async function openSecret(
  name: string,
  table: SecretTable,
  masters: MasterKeys,
  nowMs: number,
  randomBytes: (bytes: number) => Uint8Array = systemRandomBytes,
): Promise<Uint8Array> {
  const stored = (await table.secret(name)) ?? (await make());
  const [secret] = await masters.unwrap(stored.masterId, [{ bytes: stored.wrapped, context: secretContext(name) }]);
  return secret;

  async function make(): Promise<StoredSecret> {
    const masterId = masters.currentId;
    const request = { bytes: randomBytes(SECRET_BYTES), context: secretContext(name) };
    const [wrapped] = await masters.wrap([request]);
    return await table.addSecret({ name, masterId, wrapped, createdMs: nowMs });
  }
}

/** What a wrapped secret is, for the master. */
export function secretContext(name: string): string {
  return `secret/${name}`;
}
