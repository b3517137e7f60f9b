// The evidence of what a fold has decided, where the fold has kept what it is made of and somebody packs it.
import type { StreamPartition } from '../../ports.ts';
import type { EvidencePacker } from '../evidence/draft.ts';
import type { KeptEvidence } from '../evidence/evidence.ts';
import type { DecidedRecord, FoldOutput } from './partition-fold.ts';

/** One after another: what they wait for is mostly the same. @throws StreamUnavailableError */
export async function packEvidence(
  { decided }: FoldOutput,
  { partition }: StreamPartition,
  pack: EvidencePacker | null | undefined,
): Promise<ReadonlyMap<DecidedRecord, KeptEvidence>> {
  const packs = new Map<DecidedRecord, KeptEvidence>();
  if (pack === null || pack === undefined) return packs;
  for (const each of decided) {
    const { evidence, origin, offset } = each;
    if (evidence !== null) packs.set(each, await pack(evidence, origin ?? { partition, offset }));
  }
  return packs;
}
