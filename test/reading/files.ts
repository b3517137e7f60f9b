// Temporary files for the tests of reading and writing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { type OpenOptions, openTransactions } from '../../src/adapters/files/open-transactions.ts';
import type { Transaction } from '../../src/domain/transaction.ts';
import type { ReadSummary, TransactionReader } from '../../src/ports.ts';

export const NOW_MS = Date.UTC(2026, 10, 22, 12);

/** A folder that goes away after the file's tests. */
export function temporaryFolder(): {
  path(name: string): string;
  write(name: string, content: string | Uint8Array): string;
} {
  const folder = mkdtempSync(join(tmpdir(), 'centinela-reading-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string) => join(folder, name);
  return {
    path,
    write(name, content) {
      writeFileSync(path(name), content);
      return path(name);
    },
  };
}

export interface Reading {
  readonly reader: TransactionReader;
  readonly transactions: Transaction[];
  readonly summary: ReadSummary;
}

export async function readAll(path: string, options: Partial<OpenOptions> = {}): Promise<Reading> {
  const reader = await openTransactions(path, { nowMs: NOW_MS, ...options });
  const transactions: Transaction[] = [];
  for await (const batch of reader) transactions.push(...batch);
  return { reader, transactions, summary: reader.summary() };
}

/** The error's code and message, or a failure where there is none. */
export async function failureOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
  try {
    await work;
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return { code, message };
  }
  throw new Error('it did not fail');
}
