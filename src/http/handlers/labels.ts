// Labels: said by people and claims, read by whoever trains.
import type { TextSealing } from '../../privacy/sealed-text.ts';
import { addLabels, labelFeed, labelsOfTransaction } from '../../records/alerts/labels.ts';
import type { RecordStore } from '../../records/record-store.ts';
import type { Handlers } from '../asked.ts';
import { camelRow } from '../camel-case.ts';
import { actOf, type NewId } from './act.ts';
import { openedTexts } from './opened-texts.ts';

const DEFAULT_FEED = 500;

export function labelHandlers(
  { db }: RecordStore,
  newId: NewId,
  texts: TextSealing,
): Pick<Handlers, 'addLabels' | 'labelFeed' | 'labelsOfTransaction'> {
  return {
    async addLabels(asked, tx, record) {
      // An analyst's word is a person's; a program tells of claims.
      const usual = asked.principal?.kind === 'user' ? 'analyst' : 'claim';
      const { result, audit } = await addLabels(
        tx,
        asked.body.labels.map(({ typology = null, note = null, source = usual, ...label }) => {
          return { ...label, typology, note, source: usual === 'claim' ? usual : source, caseId: null };
        }),
        actOf(asked, newId, texts),
      );
      await record(audit);
      return { body: { changed: result.map(labelOf) } };
    },
    async labelFeed({ query }) {
      const rows = await labelFeed(db, query.after ?? 0, query.limit ?? DEFAULT_FEED);
      return { body: { rows: rows.map(labelOf) } };
    },
    async labelsOfTransaction({ params }) {
      const { said, current } = await labelsOfTransaction(db, params.transactionId);
      const told = said.map((row) => camelRow(openedTexts(texts, row, row.id, { note: 'labels.note' })));
      return { body: { said: told, current: current === null ? null : labelOf(current) } };
    },
  };
}

function labelOf(row: Awaited<ReturnType<typeof labelFeed>>[number]) {
  const { label_id: _, ...told } = row;
  return camelRow(told);
}
