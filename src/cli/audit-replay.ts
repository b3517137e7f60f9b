// `audit replay`: makes decisions again from their evidence, bit by bit, and says which differ and where.
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { openKeyFile } from '../adapters/keys/key-file.ts';
import { findPack, packKeys } from '../jobs/evidence/evidence-store.ts';
import { EvidenceReplay, type ReplayedPack } from '../jobs/evidence/replay-evidence.ts';
import { InputError } from '../lib/errors.ts';
import { bytesOfEvidence, type Evidence } from '../pipeline/evidence/evidence.ts';
import type { MasterKeys, ObjectStore } from '../ports.ts';
import { heldEntry } from '../records/audit/held-entry.ts';
import { loadModel } from '../registry/model-store.ts';
import { openLiveLists } from '../roles/service/books.ts';
import { openEvidence } from '../roles/service/evidence.ts';
import { openVault } from '../roles/service/vault.ts';
import { createLogger } from '../telemetry/logger.ts';
import { type CommandContext, type OptionSpec, type OptionValues, UsageError } from './command.ts';
import { detectorsHere } from './detectors-here.ts';
import { openGivenMasters } from './master-keys.ts';
import { MODELS_OPTION } from './models.ts';
import { openObjectStore } from './object-store.ts';
import { openPlacedRecords } from './record-place.ts';

export const REPLAY_OPTIONS = {
  id: { type: 'text', value: 'ID', help: 'replay: the evidence that is kept of this transaction' },
  all: { type: 'flag', help: 'replay: all evidence that is kept' },
  sha256: { type: 'text', value: 'HASH', help: 'replay: what the decision or the alert names the evidence by' },
  objects: {
    type: 'text',
    value: 'PLACE',
    help: 'replay: where the service keeps its objects; DATA/objects when not given',
  },
  registry: MODELS_OPTION,
} as const satisfies Record<string, OptionSpec>;

interface GivenPack {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** @throws InputError EVIDENCE_DIFFERS where one differs or cannot be replayed, after all of it was told */
export async function replay(options: OptionValues, context: CommandContext, file: string | undefined): Promise<void> {
  const given = [file, options.id, options.all === true ? true : undefined].filter((each) => each !== undefined);
  if (given.length !== 1) throw new UsageError('audit replay: which? Give FILE, --id ID or --all');
  const objects = openObjectStore(objectsOf(options));
  const masters = await mastersOf('audit replay', options);
  const expected = (options.sha256 as string | undefined) ?? null;
  const records = await openPlacedRecords(options, context);
  const replayed: ReplayedPack[] = [];
  try {
    const logger = createLogger('warn', context.log);
    const vault = await openVault({ records, masters, provider: null, logger, nowMs: context.nowMs });
    try {
      const registry = openObjectStore(options.registry as string);
      const known = detectorsHere();
      const replaying = new EvidenceReplay({
        // Sealed there, and with ids as transactions have them in the stream.
        ...{ objects, registry, lists: await openLiveLists({ store: registry }, vault).newest() },
        detectors: known.map(({ name }) => name),
        loadModel: (id) => loadModel(registry, id, known),
        open: (id, sealed) => openEvidence(vault.keys, id, sealed),
        auditDiffers: async (head) => {
          const held = await heldEntry(records.db, head);
          return typeof held === 'string' ? null : held.now;
        },
      });
      for await (const { name, bytes } of packsOf(objects, options, file)) {
        const pack = await replaying.replay(name, bytes, expected);
        replayed.push(pack);
        if (options.json !== true) context.out(told(pack));
      }
    } finally {
      await vault.close();
    }
  } finally {
    await records.close();
  }
  const other = replayed.filter(({ outcome }) => outcome !== 'same');
  if (options.json === true) {
    context.out(`${JSON.stringify({ packs: replayed.length, same: replayed.length - other.length, other })}\n`);
  } else context.out(`${replayed.length - other.length} of ${replayed.length} are the same to the bit.\n`);
  if (other.length === 0) return;
  const hint = 'See which; the same program, models, rules and lists must be there as when it was decided';
  throw new InputError('EVIDENCE_DIFFERS', `${other.length} of ${replayed.length} are not what was decided`, hint);
}

function told(pack: ReplayedPack): string {
  switch (pack.outcome) {
    case 'same':
      return `${pack.id}: the same\n`;
    case 'differs': {
      const { what, recorded, now } = pack.difference;
      return `${pack.id}: ${what} was ${recorded} and is ${now}\n`;
    }
    case 'not-replayable':
      return `${pack.id}: ${pack.message} (${pack.code})\n`;
  }
}

async function* packsOf(
  objects: ObjectStore,
  { id }: OptionValues,
  file: string | undefined,
): AsyncGenerator<GivenPack> {
  if (file !== undefined) yield { name: file, bytes: packOf(await readFile(file)) };
  else if (typeof id === 'string') {
    const bytes = await findPack(objects, id);
    if (bytes === null) throw noEvidence(`No evidence is kept of ${id}`);
    yield { name: id, bytes };
  } else {
    for (const name of await packKeys(objects)) {
      const bytes = await objects.get(name);
      if (bytes !== null) yield { name, bytes };
    }
  }
}

/** Of a pack as it is kept, or of what the service answers. */
function packOf(bytes: Uint8Array): Uint8Array {
  try {
    const { evidence } = JSON.parse(Buffer.from(bytes).toString('utf8')) as { readonly evidence?: Evidence };
    return evidence === undefined ? bytes : bytesOfEvidence(evidence);
  } catch {
    return bytes;
  }
}

function objectsOf({ objects, data }: OptionValues): string {
  if (typeof objects === 'string') return objects;
  if (typeof data === 'string') return join(data, 'objects');
  throw new UsageError('audit replay: where are the objects of the service? Give --objects PLACE or --data DIR');
}

export async function mastersOf(command: string, options: OptionValues): Promise<MasterKeys> {
  const given = await openGivenMasters(options);
  if (given !== null) return given;
  const path = typeof options.data === 'string' ? join(options.data, 'keys', 'master.key') : '';
  if (existsSync(path)) return await openKeyFile(path, { mayCreate: false });
  throw new UsageError(`${command}: what is kept is sealed: give --master-keys FILE or CENTINELA_MASTER_KEYS`);
}

function noEvidence(what: string): InputError {
  return new InputError('EVIDENCE_MISSING', what, "It is kept of alerts, or of all with 'serve --evidence all'");
}
