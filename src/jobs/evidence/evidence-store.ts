// Where evidence is kept: a pack under its transaction's id, and beside the packs the rules that they name by their hash.
//
//   evidence/packs/<2 digits>/<SHA-256 of the id>.json
//   evidence/rules/<SHA-256 of the rules>.json     their texts, in the order in which they were evaluated
import { createHash } from 'node:crypto';
import { InputError } from '../../lib/errors.ts';
import { rulesHash } from '../../pipeline/evidence/evidence.ts';
import type { ObjectStore } from '../../ports.ts';
import type { PlacedRule } from '../../rules/read-rules.ts';
import type { Rule } from '../../rules/rule.ts';
import { writeRule } from '../../rules/write-rule.ts';
import { readRuleFile } from '../rules/check-rules.ts';

export const PACKS = 'evidence/packs/';
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export async function keepPack(store: ObjectStore, id: string, bytes: Uint8Array): Promise<void> {
  await store.put(placeOfPack(id), bytes);
}

/** null where none is kept, or not yet. */
export async function findPack(store: ObjectStore, id: string): Promise<Uint8Array | null> {
  return await store.get(placeOfPack(id));
}

/** Their places, sorted. */
export function packKeys(store: ObjectStore): Promise<string[]> {
  return store.list(PACKS);
}

/** Written before a pack names them. */
export async function keepRules(store: ObjectStore, rules: readonly Rule[]): Promise<void> {
  await store.putNew(placeOfRules(rulesHash(rules)), encoder.encode(JSON.stringify(rules.map(writeRule))));
}

/** @throws InputError EVIDENCE_RULES where they are not there, or not those that were named */
export async function findRules(store: ObjectStore, sha256: string): Promise<readonly PlacedRule[]> {
  const bytes = await store.get(placeOfRules(sha256));
  const how = 'Give the place where the service that decided keeps its objects';
  if (bytes === null) throw new InputError('EVIDENCE_RULES', `The rules ${sha256} are not kept there`, how);
  const texts = JSON.parse(decoder.decode(bytes)) as readonly string[];
  const read = texts.map((text, index) => readRuleFile({ path: `rule ${index + 1}`, text }));
  const placed = read.flatMap(({ rules }) => rules);
  if (rulesHash(placed.map(({ rule }) => rule)) !== sha256) {
    throw new InputError('EVIDENCE_RULES', `The rules kept as ${sha256} are others`, 'Restore them from a copy');
  }
  return placed;
}

function placeOfPack(id: string): string {
  const name = createHash('sha256').update(id).digest('hex');
  return `${PACKS}${name.slice(0, 2)}/${name}.json`;
}

function placeOfRules(sha256: string): string {
  return `evidence/rules/${sha256}.json`;
}
