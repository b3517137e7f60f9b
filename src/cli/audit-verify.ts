// `audit verify`: recomputes the chain of a database, an archive, or both and how they fit, and says where it breaks.
import { readFile } from 'node:fs/promises';
import { archiveAuditSource } from '../audit/archive-source.ts';
import type { ChainPoint } from '../audit/chain.ts';
import { keysOfPem } from '../audit/signing.ts';
import { type AuditReport, verifyAudit } from '../audit/verify.ts';
import { InputError } from '../lib/errors.ts';
import { storeAuditSource } from '../records/audit/store-source.ts';
import { limaTimestamp } from '../report/lima-time.ts';
import { type CommandContext, type OptionSpec, type OptionValues, UsageError } from './command.ts';
import { openObjectStore } from './object-store.ts';
import { openRecordDatabase, readingFrom } from './record-place.ts';

export const VERIFY_OPTIONS = {
  'public-key': { type: 'text', value: 'FILE', help: 'PEM file of public keys that are trusted, kept elsewhere' },
  expect: {
    type: 'text',
    value: 'N:HASH',
    help: 'an entry that was written down elsewhere and must be there, with its SHA-256; several, with commas between',
  },
  from: {
    type: 'number',
    whole: true,
    minimum: 1,
    help: 'the first entry that must be there, where older parts of the archive have been removed after their time',
    default: 1,
  },
} as const satisfies Record<string, OptionSpec>;

/** @throws InputError where anything is wrong, after all of it was told */
export async function verify(options: OptionValues, context: CommandContext): Promise<void> {
  const publicKeys = await publicKeysOf(options);
  const expected = expectedOf(options);
  const startsAt = options.from as number;
  const reports: AuditReport[] = [];
  const database = await openRecordDatabase(options, context);
  try {
    if (database === null && options.archive === undefined) {
      throw new UsageError('audit verify: what? Give --data DIR, --database URL or --archive PLACE');
    }
    const source = database === null ? null : storeAuditSource(readingFrom(database));
    // What the database says it has pruned must be in the archive, the same to the byte.
    const pruned = source === null ? null : await source.start();
    if (typeof options.archive === 'string') {
      const joint = pruned === null || pruned.sequence === 0 ? [] : [pruned];
      const ofArchive = source === null ? [...expected, ...joint] : joint;
      const archive = archiveAuditSource(openObjectStore(options.archive), options.archive);
      reports.push(await verifyAudit(archive, { publicKeys, expected: ofArchive, startsAt }));
    }
    if (source !== null) reports.push(await verifyAudit(source, { publicKeys, expected, startsAt }));
  } finally {
    await database?.close();
  }
  if (options.json === true) context.out(`${JSON.stringify({ isWhole: reports.every(isWhole), reports })}\n`);
  else for (const report of reports) context.out(told(report));
  const broken = reports.filter((report) => !isWhole(report));
  if (broken.length === 0) return;
  const where = broken.map(({ source }) => source).join(' and ');
  const hint = 'Keep it as it is, and find out who could write there';
  throw new InputError('AUDIT_BROKEN', `The audit is not what was written: ${where}`, hint);
}

function isWhole({ breaks }: AuditReport): boolean {
  return breaks.length === 0;
}

function told({ source, entries, first, last, signed, unsigned, isTrustGiven, breaks, moreBreaks }: AuditReport) {
  const lines = [
    `${source}: ${entries} entries${first === null ? '' : `, ${first} to ${last.sequence}`}; the last one's SHA-256 is ${last.hash}`,
    signed === null
      ? 'nothing of it is signed by a trusted key'
      : `signed up to entry ${signed.sequence} (key ${signed.keyId}, ${limaTimestamp(signed.atMs)}); ${unsigned} entries after it`,
    ...(isTrustGiven ? [] : ['no public key was given: who could write all of it anew, keys too, is not found']),
    ...breaks.map(({ kind, message }) => `BREAK ${kind}: ${message}`),
    ...(moreBreaks > 0 ? [`and ${moreBreaks} more breaks`] : []),
    ...(breaks.length === 0 ? ['no breaks'] : []),
  ];
  return `${lines.join('\n')}\n`;
}

async function publicKeysOf(options: OptionValues): Promise<string[]> {
  const path = options['public-key'];
  if (typeof path !== 'string') return [];
  const pem = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new InputError('PUBLIC_KEY_FILE', `${path} cannot be read (${error.code})`, 'Give the file of public keys');
  });
  const keys = keysOfPem(pem);
  if (keys.length > 0) return keys;
  throw new InputError('PUBLIC_KEY_FILE', `${path} has no Ed25519 public key`, "See 'centinela audit keys'");
}

function expectedOf({ expect }: OptionValues): ChainPoint[] {
  if (typeof expect !== 'string') return [];
  return expect.split(',').map((each) => {
    const [, sequence, hash] = /^\s*(\d{1,15}):([0-9a-f]{64})\s*$/i.exec(each) ?? [];
    if (hash !== undefined) return { sequence: Number(sequence), hash: hash.toLowerCase() };
    throw new UsageError(`audit verify: --expect must be an entry's number and its SHA-256, 120:5f…; '${each}' is not`);
  });
}
