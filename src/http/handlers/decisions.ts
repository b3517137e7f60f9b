// Decisions that were made: what this process has just answered, and the archive.
import type { DecisionsArchive } from '../../jobs/archive/decisions-archive.ts';
import type { Handlers } from '../asked.ts';
import { DEFAULT_PAGE } from '../contract/common.ts';
import { notFound } from '../problem.ts';

export function decisionHandlers(archive: DecisionsArchive): Pick<Handlers, 'listDecisions' | 'getDecision'> {
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
  };
}
