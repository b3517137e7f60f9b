// Decoded columns to transactions, in file order: checks what concerns a whole row (id, future, duplicates) and makes
// each object with the fields in one order, so that all of them share one hidden class.
import { createTransaction, type Transaction } from '../../domain/transaction.ts';
import { FingerprintSet } from '../../lib/fingerprint-set.ts';
import { hashText } from '../../lib/hash.ts';
import { converterFor, Refusal } from './convert-value.ts';
import {
  type AmountDecoder,
  amountDecoder,
  coordinateDecoder,
  FIELD_FAULT,
  kindOf,
  type NumberDecoder,
  type TimeDecoder,
  textDecoder,
  timeDecoder,
} from './decode-columns.ts';
import type { FieldName } from './mapping-file.ts';
import type { ReadPlan } from './read-plan.ts';
import type { Rejections } from './rejections.ts';
import { ROW_FAULTS, type RowBlock, type TextEncoding } from './row-block.ts';
import { openTimeZone } from './time-zone.ts';

const DAY_MS = 86_400_000;
/** Ids that are remembered to find duplicates, 134 MB at most: one is found if it comes within six million rows. */
const MAX_REMEMBERED_IDS = 12_000_000;

export interface BuildLimits {
  readonly nowMs: number;
  /** How far after `nowMs` a time may lie: clocks of the sources are never quite right. */
  readonly futureSlackMs: number;
}

interface PendingRefusal {
  readonly row: number;
  readonly field: string;
  readonly reason: string;
  readonly start: number;
  readonly end: number;
  readonly message: string;
}

// biome-ignore lint/suspicious/noExplicitAny: the decoders have checked each value against its field
type Values = any[] | null;

export class TransactionBuilder {
  rows = 0;
  accepted = 0;
  readonly #plan: ReadPlan;
  readonly #limits: BuildLimits;
  readonly #rejections: Rejections;
  readonly #decoders: (NumberDecoder | ReturnType<typeof textDecoder>)[] = [];
  readonly #texts = new Map<FieldName, unknown[]>();
  readonly #numbers = new Map<FieldName, Float64Array>();
  readonly #defaults: Transaction;
  readonly #zone: ReturnType<typeof openTimeZone>;
  readonly #times: TimeDecoder[] = [];
  readonly #amounts: AmountDecoder[] = [];
  readonly #ids = new FingerprintSet(MAX_REMEMBERED_IDS);
  readonly #low = new Int32Array(1);
  readonly #high = new Int32Array(1);
  readonly #hasIds: boolean;
  #pending: PendingRefusal[] = [];

  constructor(plan: ReadPlan, encoding: TextEncoding, limits: BuildLimits, rejections: Rejections) {
    this.#plan = plan;
    this.#limits = limits;
    this.#rejections = rejections;
    this.#zone = openTimeZone(plan.file.timeZone);
    this.#defaults = defaultsOf(plan);
    this.#createDecoders(encoding);
    this.#hasIds = this.#texts.has('id');
  }

  #createDecoders(encoding: TextEncoding): void {
    const plan = this.#plan;
    const { currency } = plan.file;
    const currencies = { at: (row: number) => (this.#texts.get('currency')?.[row] as string | null) ?? currency };
    // Currencies come before amounts, whose decimals depend on them.
    const ordered = [...plan.columns].sort((a, b) => Number(b.field === 'currency') - Number(a.field === 'currency'));
    for (const planned of ordered) {
      const kind = kindOf(planned.field);
      if (kind === 'text') {
        const decoder = textDecoder(planned, plan.file, encoding);
        this.#texts.set(planned.field, decoder.values);
        this.#decoders.push(decoder);
        continue;
      }
      let decoder: NumberDecoder;
      if (kind === 'time') {
        const time = timeDecoder(planned, plan.file, this.#zone);
        this.#times.push(time);
        decoder = time;
      } else if (kind === 'amount') {
        const amount = amountDecoder(planned, plan, currencies);
        this.#amounts.push(amount);
        decoder = amount;
      } else decoder = coordinateDecoder(planned, plan);
      this.#numbers.set(planned.field, decoder.numbers);
      this.#decoders.push(decoder);
    }
  }

  /** The block's good rows, added to `target`; its bad ones go to the rejections. */
  build(block: RowBlock, target: Transaction[]): void {
    this.#pending = [];
    const refuse = (row: number, column: number, field: string, reason: string, message: string) => {
      const at = row * block.columns + column;
      block.faults[row] = FIELD_FAULT;
      this.#pending.push({ row, field, reason, start: block.starts[at], end: block.ends[at], message });
    };
    for (const decoder of this.#decoders) decoder.decode(block, refuse);
    this.#assemble(block, target);
    this.#reject(block);
    this.rows += block.rows;
  }

  findings(): string[] {
    const rounded = sum(this.#amounts.map(({ parser }) => parser.rounded));
    const changes = sum(this.#times.map(({ parser }) => parser.offsetChanges));
    const { ambiguous, skipped } = this.#zone.oddTimes();
    const times = (n: number) => (n === 1 ? 'once' : `${n.toLocaleString('en-US')} times`);
    const many = (n: number, one: string, more: string) =>
      n === 1 ? `1 ${one}` : `${n.toLocaleString('en-US')} ${more}`;
    return [
      rounded > 0 &&
        `${many(rounded, 'amount had more decimals than its', 'amounts had more decimals than their')} currency: rounded half to even`,
      changes > 0 && `the UTC offset written in the times changes ${times(changes)}: each row was read with its own`,
      ambiguous > 0 &&
        `${many(ambiguous, 'local time', 'local times')} happened twice in ${this.#zone.name} (clocks set back): taken as the first`,
      skipped > 0 &&
        `${many(skipped, 'local time', 'local times')} never happened in ${this.#zone.name} (clocks set forward): moved forward`,
    ].filter((finding) => finding !== false);
  }

  #refuseRow(block: RowBlock, row: number, field: string, reason: string, message: string): void {
    block.faults[row] = FIELD_FAULT;
    const planned = this.#plan.columns.find((column) => column.field === field);
    const at = planned === undefined ? -1 : row * block.columns + planned.index;
    this.#pending.push({
      row,
      field: planned?.mapping.column ?? field,
      reason,
      start: at < 0 ? 0 : block.starts[at],
      end: at < 0 ? 0 : block.ends[at],
      message,
    });
  }

  #reject(block: RowBlock): void {
    for (let row = 0; row < block.rows; row++) {
      const fault = ROW_FAULTS[block.faults[row]];
      if (fault === 'NONE' || fault === 'FIELD') continue;
      const message = faultMessage(fault, block, row);
      const cut = Math.min(block.rowEnds[row], block.rowStarts[row] + 400);
      this.#pending.push({ row, field: '', reason: fault, start: block.rowStarts[row], end: cut, message });
    }
    this.#pending.sort((a, b) => a.row - b.row);
    for (const { row, field, reason, start, end, message } of this.#pending) {
      this.#rejections.add(block.lines[row], field, reason, block.bytes.toString('utf8', start, end), message);
    }
  }

  /** @returns true if the row may not be taken */
  #isRefused(block: RowBlock, row: number, id: string | null, timeMs: number): boolean {
    if (id === null) {
      this.#refuseRow(block, row, 'id', 'ID_MISSING', 'the id is empty');
      return true;
    }
    if (timeMs > this.#limits.nowMs + this.#limits.futureSlackMs) {
      const message = `the time ${new Date(timeMs).toISOString()} lies in the future`;
      this.#refuseRow(block, row, 'eventTimeMs', 'TIME_IN_FUTURE', message);
      return true;
    }
    if (!this.#hasIds) return false;
    hashText(id, this.#low, this.#high, 0);
    if (!this.#ids.add(this.#low[0], this.#high[0])) {
      this.#refuseRow(block, row, 'id', 'ID_DUPLICATE', 'a row above has the same id');
      return true;
    }
    return false;
  }

  #assemble(block: RowBlock, target: Transaction[]): void {
    const texts = (field: FieldName): Values => this.#texts.get(field) ?? null;
    const numbers = (field: FieldName) => this.#numbers.get(field) ?? null;
    const defaults = this.#defaults;
    const { labelDelayDays } = this.#plan.file;
    const ids = texts('id');
    const times = numbers('eventTimeMs') as Float64Array;
    const amounts = numbers('amountMinor') as Float64Array;
    const ingestTimes = numbers('ingestTimeMs');
    const balances = numbers('balanceAfterMinor');
    const latitudes = numbers('latitude');
    const longitudes = numbers('longitude');
    const labelTimes = numbers('labelTimeMs');
    const currencies = texts('currency');
    const operations = texts('operation');
    const rails = texts('rail');
    const channels = texts('channel');
    const payerIds = texts('payerId');
    const payerNames = texts('payerName');
    const payerDocuments = texts('payerDocument');
    const payerAccounts = texts('payerAccount');
    const payeeIds = texts('payeeId');
    const payeeNames = texts('payeeName');
    const payeeDocuments = texts('payeeDocument');
    const payeeAccounts = texts('payeeAccount');
    const cardIds = texts('cardId');
    const deviceIds = texts('deviceId');
    const ipAddresses = texts('ipAddress');
    const terminalIds = texts('terminalId');
    const merchantIds = texts('merchantId');
    const mccs = texts('mcc');
    const entryModes = texts('entryMode');
    const ubigeos = texts('ubigeo');
    const countries = texts('country');
    const concepts = texts('concept');
    const factors = texts('authFactors');
    const statuses = texts('status');
    const responseCodes = texts('responseCode');
    const externalIds = texts('externalId');
    const labels = texts('isFraud');
    const typologies = texts('typology');
    const exemptions = texts('authExemption');
    for (let row = 0; row < block.rows; row++) {
      if (block.faults[row] !== 0) continue;
      const id: string | null = ids === null ? String(this.rows + row + 1) : ids[row];
      const eventTimeMs = times[row];
      if (this.#isRefused(block, row, id, eventTimeMs)) continue;
      const isFraud = textAt(labels, row, defaults.isFraud);
      let labelTimeMs = numberAt(labelTimes, row);
      if (labelTimeMs === null && isFraud !== null && labelDelayDays !== null) {
        labelTimeMs = eventTimeMs + labelDelayDays * DAY_MS;
      }
      target.push({
        id: id as string,
        eventTimeMs,
        ingestTimeMs: numberAt(ingestTimes, row),
        amountMinor: amounts[row],
        currency: textAt(currencies, row, defaults.currency),
        operation: textAt(operations, row, defaults.operation),
        rail: textAt(rails, row, defaults.rail),
        channel: textAt(channels, row, defaults.channel),
        payerId: textAt(payerIds, row, defaults.payerId),
        payerName: textAt(payerNames, row, defaults.payerName),
        payerDocument: textAt(payerDocuments, row, defaults.payerDocument),
        payerAccount: textAt(payerAccounts, row, defaults.payerAccount),
        payeeId: textAt(payeeIds, row, defaults.payeeId),
        payeeName: textAt(payeeNames, row, defaults.payeeName),
        payeeDocument: textAt(payeeDocuments, row, defaults.payeeDocument),
        payeeAccount: textAt(payeeAccounts, row, defaults.payeeAccount),
        cardId: textAt(cardIds, row, defaults.cardId),
        deviceId: textAt(deviceIds, row, defaults.deviceId),
        ipAddress: textAt(ipAddresses, row, defaults.ipAddress),
        terminalId: textAt(terminalIds, row, defaults.terminalId),
        merchantId: textAt(merchantIds, row, defaults.merchantId),
        mcc: textAt(mccs, row, defaults.mcc),
        entryMode: textAt(entryModes, row, defaults.entryMode),
        ubigeo: textAt(ubigeos, row, defaults.ubigeo),
        latitude: numberAt(latitudes, row),
        longitude: numberAt(longitudes, row),
        country: textAt(countries, row, defaults.country),
        concept: textAt(concepts, row, defaults.concept),
        authFactors: textAt(factors, row, defaults.authFactors),
        status: textAt(statuses, row, defaults.status),
        responseCode: textAt(responseCodes, row, defaults.responseCode),
        externalId: textAt(externalIds, row, defaults.externalId),
        balanceAfterMinor: numberAt(balances, row),
        isFraud,
        typology: textAt(typologies, row, defaults.typology),
        labelTimeMs,
        authExemption: textAt(exemptions, row, defaults.authExemption),
      });
      this.accepted += 1;
    }
  }
}

function textAt(values: Values, row: number, fallback: unknown) {
  return values === null ? fallback : (values[row] ?? fallback);
}

function numberAt(values: Float64Array | null, row: number): number | null {
  if (values === null) return null;
  const value = values[row];
  return Number.isNaN(value) ? null : value;
}

/** What a field is where the file does not say: a transaction, because one of the usual shape is quick to read. */
function defaultsOf(plan: ReadPlan): Transaction {
  const constants: Record<string, unknown> = {};
  for (const [field, text] of plan.file.constants) {
    const value = converterFor(field, { column: '' })(text);
    if (!(value instanceof Refusal)) constants[field] = value;
  }
  const required = { id: '', eventTimeMs: 0, amountMinor: 0, currency: plan.file.currency };
  return createTransaction({ authFactors: Object.freeze([]) as never, ...required, ...constants });
}

function faultMessage(fault: string, block: RowBlock, row: number): string {
  const found = block.fieldCounts[row];
  switch (fault) {
    case 'TOO_FEW_COLUMNS':
    case 'TOO_MANY_COLUMNS':
      return `${found} columns where the header has ${block.columns}`;
    case 'LINE_TOO_LONG':
      return 'the row is longer than 1 MB; is a quote left open, or a line break missing?';
    case 'QUOTE_INVALID':
      return 'text after a closing quote';
    case 'QUOTE_UNCLOSED':
      return 'a quote is opened and never closed';
    case 'JSON_INVALID':
      return 'not a JSON object';
    default:
      return 'the bytes are not UTF-8 text';
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
