// Rows that were refused: counted by reason, the first ones kept as examples, all of them written to rejected.csv.
import { closeSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { maskPansIn } from '../../domain/mask.ts';
import type { RejectedExample } from '../../ports.ts';

const MAX_EXAMPLES = 10;
const MAX_VALUE_LENGTH = 80;
const FLUSH_CHARACTERS = 1 << 16;

export class Rejections {
  readonly byReason: Record<string, number> = {};
  readonly firstExamples: RejectedExample[] = [];
  readonly #path: string | null;
  readonly #temporary: string;
  #file: number | null = null;
  #pending = '';
  count = 0;

  /** @param path where rejected.csv goes; null: nowhere */
  constructor(path: string | null) {
    this.#path = path;
    this.#temporary = `${path}.${process.pid}.tmp`;
  }

  add(line: number, field: string, reason: string, rawValue: string, message: string): void {
    this.count += 1;
    this.byReason[reason] = (this.byReason[reason] ?? 0) + 1;
    const value = showValue(rawValue);
    if (this.firstExamples.length < MAX_EXAMPLES) this.firstExamples.push({ line, field, reason, value, message });
    if (this.#path === null) return;
    if (this.#file === null) {
      mkdirSync(dirname(this.#path), { recursive: true });
      this.#file = openSync(this.#temporary, 'w');
      this.#pending = 'line,field,reason,value,message\n';
    }
    this.#pending += `${line},${field},${reason},${quoted(value)},${quoted(message)}\n`;
    if (this.#pending.length >= FLUSH_CHARACTERS) this.#flush();
  }

  /** The reasons, most frequent first: "AMOUNT_INVALID 120, TIME_INVALID 3". */
  describeReasons(): string {
    return Object.entries(this.byReason)
      .sort(([, a], [, b]) => b - a)
      .slice(0, 4)
      .map(([reason, rows]) => `${reason} ${rows.toLocaleString('en-US')}`)
      .join(', ');
  }

  /** Gives the file its final name. Without rejected rows there is no file, nor one left from an earlier reading. */
  finish(): void {
    if (this.#path === null) return;
    if (this.#file === null) {
      rmSync(this.#path, { force: true });
      return;
    }
    this.#flush();
    closeSync(this.#file);
    this.#file = null;
    renameSync(this.#temporary, this.#path);
  }

  /** Drops what has been written. */
  discard(): void {
    if (this.#file === null) return;
    closeSync(this.#file);
    this.#file = null;
    rmSync(this.#temporary, { force: true });
  }

  #flush(): void {
    if (this.#file !== null) writeSync(this.#file, this.#pending);
    this.#pending = '';
  }
}

/** Cut to a readable length, card numbers masked, control characters replaced. */
function showValue(raw: string): string {
  const masked = maskPansIn(raw);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is replaced
  const clean = masked.replace(/[\u0000-\u001f\u007f]/g, '·');
  return clean.length > MAX_VALUE_LENGTH ? `${clean.slice(0, MAX_VALUE_LENGTH)}…` : clean;
}

/** Quoted where CSV needs it; a leading = + @ would be run as a formula by a spreadsheet. */
function quoted(text: string): string {
  const safe = /^[=+@]/.test(text) ? `'${text}` : text;
  return /[",\n\r]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
