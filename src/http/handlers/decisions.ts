// Decisions that were made: what this process has just answered, and the archive.
import type { DecisionsArchive } from '../../jobs/archive/decisions-archive.ts';
import { evidenceHash, readEvidence } from '../../pipeline/evidence/evidence.ts';
import type { Handlers } from '../asked.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import { notFound } from '../problem.ts';

/** @param findEvidence null where none is kept of a transaction, or not yet */
export function decisionHandlers(
  archive: DecisionsArchive,
  findEvidence: (transactionId: string) => Promise<Uint8Array | null>,
): Pick<Handlers, 'listDecisions' | 'getDecision' | 'decisionEvidence'> {
  return {
    async listDecisions({ query }) {
      const { cursor = null, limit = DEFAULT_PAGE, ...filter } = query;
      const { decisions, next } = await archive.listDecisions(filter, cursor, limit);
      return { body: { rows: decisions.map(({ id, decidedMs, decision }) => ({ id, decidedMs, decision })), next } };
    },
    async getDecision({ params, query }) {
      const { transactionId } = params;
      const found = await archive.findDecision(transactionId, query.day === undefined ? {} : { dayHint: query.day });
      if (found === null) throw notFound(`decision of transaction ${transactionId}`);
      const { id, decidedMs, decision } = found;
      return { body: { id, decidedMs, decision } };
    },
    async decisionEvidence({ params: { transactionId } }) {
      const bytes = await findEvidence(transactionId);
      if (bytes === null) throw notFound(`evidence of the decision of transaction ${transactionId}`);
      return { body: { sha256: evidenceHash(bytes), evidence: readEvidence(bytes, null) } };
    },
  };
}
