import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createTransaction, type Transaction } from '../../../domain/transaction.ts';
import { cardsCatalogue } from '../../../features/catalogue/cards.ts';
import { defaultCatalogue } from '../../../features/catalogue/catalogue.ts';
import { entityKey } from '../../../features/entity-key.ts';
import { FoldEvent, KINDS } from '../../../features/event.ts';
import { DEFAULT_LIMITS } from '../../../features/limits.ts';
import { nextStop, topologyOf } from './topology.ts';

const topology = topologyOf(defaultCatalogue);
const paid = (given: Partial<Transaction>) =>
  createTransaction({ id: 'T', eventTimeMs: 0, amountMinor: 1, currency: 'PEN', ...given });

/** Stages and keys in the order of the way. */
function wayOf(transaction: Transaction, of = topology): string[] {
  const way: string[] = [];
  for (let after = -1; ; ) {
    const { stage, key, visits } = nextStop(of, transaction, after);
    way.push(`${stage} ${key} ${visits.toString(2)}`);
    if (stage === 'terminals') return way;
    after = 31 - Math.clz32(visits);
  }
}

describe('the way of a transaction', () => {
  it('leads by each of its entities, and ends where it is decided', () => {
    const all = { payerId: 'a', payeeId: 'b', deviceId: 'd', cardId: 'c', ubigeo: '150131', terminalId: 't' };
    expect(wayOf(paid(all))).toEqual([
      ...['accounts a 1', 'accounts b 10', 'devices d 100', 'cards c 1000', 'places 150131 10000'],
      'terminals t 100000',
    ]);
    expect(wayOf(paid({ payerId: 'a', deviceId: 'd' }))).toEqual(['accounts a 1', 'devices d 100', 'terminals a 0']);
    expect(wayOf(paid({}))).toEqual(['terminals T 0']);
  });

  it('visits an account that pays itself once, in both its roles', () => {
    expect(wayOf(paid({ payerId: 'a', payeeId: 'a' }))).toEqual(['accounts a 11', 'terminals a 0']);
  });

  it('leaves out what no feature is of, and keeps the payer where his habit counts elsewhere', () => {
    const ofCards = topologyOf(cardsCatalogue.filter(({ entity }) => entity !== 'payer'));
    expect(ofCards.stages).toEqual(['accounts', 'terminals']);
    expect(wayOf(paid({ payerId: 'a', payeeId: 'b', cardId: 'c', terminalId: 't' }), ofCards)).toEqual([
      'accounts a 1',
      'terminals t 10',
    ]);
  });

  it('has each feature in one visit, or in the last stage', () => {
    const columns = topology.visits.flatMap((visit) => visit.columns);
    const ofEvents = defaultCatalogue.filter(({ entity }) => entity === 'transaction').length;
    expect(new Set(columns).size).toBe(columns.length);
    expect(columns.length + ofEvents).toBe(defaultCatalogue.length);
  });
});

it('two transactions go to one place for an entity exactly where the engine sees one entity', () => {
  const few = (...ids: string[]) => fc.option(fc.constantFrom(...ids));
  const transactions = fc
    .record({
      ...{ payerId: few('a', 'b'), payeeId: few('a', 'b'), deviceId: few('d'), cardId: few('c', 'd') },
      ...{ terminalId: few('t', 'm'), merchantId: few('m', 't'), ubigeo: few('150131') },
      latitude: fc.option(fc.constantFrom(-12, -12.01, -0.001, 0, -12.2)),
      longitude: fc.option(fc.constantFrom(-77, -77.02, 0.001)),
    })
    .map(paid);
  const kinds = ['payer', 'payee', 'device', 'card', 'terminal', 'place'] as const;
  const engineKey = (transaction: Transaction, kind: (typeof kinds)[number]) => {
    const event = new FoldEvent(DEFAULT_LIMITS, false);
    event.read(transaction);
    const at = KINDS.indexOf(kind);
    return event.present[at] === 0 ? null : `${event.keyLow[at]} ${event.keyHigh[at]}`;
  };
  fc.assert(
    fc.property(transactions, transactions, fc.constantFrom(...kinds), (one, other, kind) => {
      expect(entityKey(one, kind) === null).toBe(engineKey(one, kind) === null);
      expect(entityKey(one, kind) === entityKey(other, kind)).toBe(engineKey(one, kind) === engineKey(other, kind));
    }),
  );
});
