// The records of a simulated stream, drawn from the seed, each with what must become of it.
import type { Transaction } from '../../src/domain/transaction.ts';
import type { Prng } from '../../src/lib/prng.ts';
import { KIND_HEADER } from '../../src/pipeline/stream/record-kinds.ts';
import type { TopicNames } from '../../src/pipeline/stream/topics.ts';
import type { OutgoingRecord, StreamHeader } from '../../src/ports.ts';
import { BROKEN_RULES, MODEL, RULES } from './stream-parts.ts';

/** A header with the item's number: a record is known again wherever it goes. */
export const ITEM_HEADER = 'item';
/** Of the simulated log. */
export const MAX_RECORD_BYTES = 80_000;

/**
 * `decided`: as a transaction; `forwarded`: into the stream, where it has its effect; `refused`: one dead letter; `either`:
 * refused where the worker at the door does not find the model, and forwarded elsewhere.
 */
export type Fate = 'decided' | 'forwarded' | 'refused' | 'either';

export interface Item {
  readonly record: OutgoingRecord;
  readonly fate: Fate;
  readonly what: string;
}

type Given = Partial<Transaction> & { readonly id: string };

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const START_MS = 1_760_000_000_000;
const encoder = new TextEncoder();
const bytes = (value: unknown) => encoder.encode(typeof value === 'string' ? value : JSON.stringify(value));
const kind = (name: string): StreamHeader => ({ name: KIND_HEADER, value: bytes(name) });
const manyHeaders = (count: number) => Array.from({ length: count }, (_, i) => ({ name: `h${i}`, value: bytes('x') }));

export function drawItems(prng: Prng, count: number, topics: TopicNames): Item[] {
  const items: Item[] = [];
  const sent: Given[] = [];
  const pick = <T>(from: readonly T[]): T => from[prng.nextBelow(from.length)];
  const span = 2 + prng.nextBelow(30);

  const add = (
    fate: Fate,
    what: string,
    topic: string,
    key: string | null,
    value: Uint8Array | null,
    headers: readonly StreamHeader[] = [],
  ) => {
    const item = { name: ITEM_HEADER, value: bytes(String(items.length)) };
    const record = { topic, partition: null, value, timestampMs: null, headers: [...headers, item] };
    items.push({ fate, what, record: { ...record, key: key === null ? null : bytes(key) } });
  };

  const transaction = (): Given => {
    const progress = (items.length / count) * span * DAY_MS;
    const off = prng.nextFloat();
    const shift = off < 0.1 ? -prng.nextBelow(3 * DAY_MS) : off < 0.13 ? prng.nextBelow(90) * DAY_MS : 0;
    const given: Given = {
      ...{ id: `t-${items.length}`, eventTimeMs: Math.floor(START_MS + progress + shift + prng.nextBelow(HOUR_MS)) },
      ...{ amountMinor: 100 + prng.nextBelow(prng.nextFloat() < 0.1 ? 900_000 : 100_000), currency: 'PEN' },
      ...{ payerId: `p${prng.nextBelow(8)}`, payeeId: `b${prng.nextBelow(5)}`, terminalId: `c${prng.nextBelow(3)}` },
      ...{ operation: pick(['purchase', 'transfer', 'payment-claim', 'cash-withdrawal'] as const) },
      ...(prng.nextFloat() < 0.1 && { cardId: '4111 1111 1111 1111' }),
      ...(prng.nextFloat() < 0.1 && { isFraud: prng.nextFloat() < 0.5 }),
    };
    sent.push(given);
    return given;
  };

  const poison = () => {
    const to = topics.transactions;
    const key = prng.nextFloat() < 0.2 ? null : `p${prng.nextBelow(8)}`;
    const base = {
      id: `poison-${items.length}`,
      eventTimeMs: START_MS,
      amountMinor: 1,
      currency: 'PEN',
      payerId: 'p1',
    };
    const deep = '['.repeat(20_000) + ']'.repeat(20_000);
    const kinds: readonly (readonly [string, Uint8Array | null, (readonly StreamHeader[])?])[] = [
      ['bytes that are no text', Uint8Array.of(0xff, 0xfe, 0x80, prng.nextBelow(256))],
      ['text that is no JSON', bytes(`{"id": "poison-${items.length}"`)],
      ['an empty value', new Uint8Array(0)],
      ['no value', null],
      ['an array', bytes([base])],
      ['no id', bytes({ ...base, id: undefined })],
      ['an unknown field', bytes({ ...base, amonut: 3 })],
      ['__proto__ as a field', bytes(JSON.stringify(base).replace('{', '{"__proto__":{"id":"x"},'))],
      ['an amount beyond all numbers', bytes(JSON.stringify(base).replace('"amountMinor":1', '"amountMinor":1e999'))],
      ['deep nesting', bytes(deep)],
      ['a value of 70 kB', bytes({ ...base, concept: 'x'.repeat(70_000) })],
      ['a record as large as the log takes', new Uint8Array(MAX_RECORD_BYTES - 60)],
      ['as many headers as the log takes', bytes('?'), manyHeaders(99)],
      ['an unknown kind', bytes(base), [kind('gossip')]],
      ['a label that is none', bytes({ ...base, isFraud: 'yes' }), [kind('label')]],
      ['a change that is none', bytes({ model: 7 }), [kind('control')]],
    ];
    const [what, value, headers] = pick(kinds);
    add('refused', `poison: ${what}`, to, key, value, headers);
  };

  const label = () => {
    const of = sent.length === 0 ? transaction() : pick(sent);
    const { cardId: _, isFraud: __, ...rest } = of;
    const value = { ...rest, isFraud: prng.nextFloat() < 0.7 };
    const choice = prng.nextFloat();
    const [to, key] = [topics.labels, of.payerId!];
    if (choice < 0.7) add('forwarded', 'label', to, prng.nextFloat() < 0.05 ? null : key, bytes(value));
    else if (choice < 0.75)
      add('forwarded', 'label that says it is a change', to, key, bytes(value), [kind('control')]);
    else if (choice < 0.8)
      add('refused', 'label that says it is a transaction', to, key, bytes(rest), [kind('transaction')]);
    else if (choice < 0.85) add('refused', 'label without a value', to, key, null);
    else if (choice < 0.9)
      add('refused', 'label as large as the log takes', to, key, new Uint8Array(MAX_RECORD_BYTES - 60));
    else if (choice < 0.95)
      add('refused', 'label with as many headers as the log takes', to, key, bytes(value), manyHeaders(99));
    else add('refused', 'label that is no JSON', to, key, bytes('{'));
  };

  const change = () => {
    const to = topics.control;
    const files = (text: string) => [{ path: 'rules.yaml', text }];
    const choice = prng.nextFloat();
    if (choice < 0.3) add('forwarded', 'new rules', to, 'rules', bytes({ rules: files(pick(RULES)) }));
    else if (choice < 0.45) add('either', 'a model', to, 'model', bytes({ model: MODEL }));
    else if (choice < 0.5) add('forwarded', 'no model', to, 'model', bytes({ model: null }));
    else if (choice < 0.6) add('either', 'both', to, null, bytes({ model: MODEL, rules: files(pick(RULES)) }));
    else if (choice < 0.7) add('refused', 'an unknown model', to, 'model', bytes({ model: 'ninguno@9' }));
    else if (choice < 0.75) add('refused', 'a model without a version', to, 'model', bytes({ model: 'chico' }));
    else if (choice < 0.85) add('refused', 'broken rules', to, 'rules', bytes({ rules: files(pick(BROKEN_RULES)) }));
    else if (choice < 0.9) add('refused', 'a change that is no JSON', to, 'rules', bytes('}'));
    // By hand into the stream itself, past the door: right or wrong, the same for everybody.
    else {
      const text = pick([...RULES, ...BROKEN_RULES]);
      add('forwarded', 'rules by hand', topics.transactions, `p${prng.nextBelow(8)}`, bytes({ rules: files(text) }), [
        kind('control'),
      ]);
    }
  };

  while (items.length < count) {
    const choice = prng.nextFloat();
    if (choice < 0.08 && sent.length > 0) {
      const again = pick(sent);
      const other = prng.nextFloat() < 0.3 ? { ...again, amountMinor: 777 } : again;
      add('decided', `${again.id} again`, topics.transactions, again.payerId!, bytes(other));
    } else if (choice < 0.15) poison();
    else if (choice < 0.23) label();
    else if (choice < 0.26) change();
    else {
      const given = transaction();
      add('decided', given.id, topics.transactions, given.payerId!, bytes(given));
    }
  }
  return items;
}
