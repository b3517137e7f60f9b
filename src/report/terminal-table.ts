// The ranked anomalies in a terminal: aligned columns that fit the width, colours only when asked for.
import { formatMoney } from '../domain/money.ts';
import { limaTimestamp } from './lima-time.ts';
import type { Locale, ReportAnomaly, ReportDecision } from './report-data.ts';
import { riskText } from './risk-text.ts';
import { DECISION_TEXTS, TERMINAL_TEXTS } from './texts.ts';

export interface TerminalTableOptions {
  readonly locale: Locale;
  /** Columns of the terminal; 60 is the least that is used. */
  readonly width: number;
  /** Colour the decision: only when the output is a TTY. */
  readonly colour: boolean;
  /** At most so many anomalies; all of them where not given. */
  readonly limit?: number;
}

/** What of an anomaly is shown; a stream can give these alone. */
export type TerminalRow = Pick<
  ReportAnomaly,
  'rank' | 'timeMs' | 'amountMinor' | 'currency' | 'payer' | 'score' | 'probability' | 'decision' | 'reasons'
>;

interface Column {
  readonly title: string;
  readonly right: boolean;
  readonly cells: readonly string[];
}

const LEAST_WIDTH = 60;
const LONGEST_PAYER = 18;
/** Below this room for the reason, optional columns give way. */
const LEAST_REASON = 28;
const GAP = '  ';
const ELLIPSIS = '…';
const COLORS: Readonly<Record<ReportDecision, string>> = {
  decline: '\u001b[31;1m',
  hold: '\u001b[31;1m',
  challenge: '\u001b[33;1m',
  review: '\u001b[33m',
  approve: '\u001b[2m',
};
const BOLD = '\u001b[1m';
const RESET = '\u001b[0m';

/** One header line and one line per anomaly, ended by a line break; no anomalies give one sentence. */
export function renderTerminalTable(
  data: { readonly anomalies: readonly TerminalRow[] },
  options: TerminalTableOptions,
): string {
  const { locale, colour } = options;
  const anomalies = data.anomalies.slice(0, options.limit ?? data.anomalies.length);
  if (anomalies.length === 0) return `${TERMINAL_TEXTS.none[locale]}\n`;
  const width = Math.max(LEAST_WIDTH, Math.floor(options.width) || LEAST_WIDTH);
  const text = (key: keyof typeof TERMINAL_TEXTS): string => TERMINAL_TEXTS[key][locale];
  const column = (title: string, right: boolean, cell: (row: TerminalRow) => string): Column => ({
    title,
    right,
    cells: anomalies.map((row) => printable(cell(row))),
  });
  const decision = column(text('decision'), false, (row) => DECISION_TEXTS[row.decision][locale]);
  const always = [
    column('#', true, (row) => String(row.rank)),
    column(text('score'), true, (row) => riskText(row)[locale]),
    decision,
    column(text('amount'), true, (row) => formatMoney(row.amountMinor, row.currency)),
  ];
  const optional = [
    column(text('time'), false, (row) => limaTimestamp(row.timeMs).slice(5, 16)),
    column(text('payer'), false, (row) => cut(row.payer ?? '—', LONGEST_PAYER)),
  ];
  let columns = [...always, ...optional];
  while (columns.length > always.length && width - spaceOf(columns) < LEAST_REASON) columns = columns.slice(0, -1);
  const reasonWidth = Math.max(1, width - spaceOf(columns));
  const line = (cells: readonly string[], reason: string): string =>
    `${cells.join(GAP)}${GAP}${cut(printable(reason), reasonWidth)}`.trimEnd();

  const header = line(
    columns.map((each) => pad(each.title, each)),
    text('reason'),
  );
  const body = anomalies.map((row, index) =>
    line(
      columns.map((each) => {
        const cell = pad(each.cells[index], each);
        return colour && each === decision ? `${COLORS[row.decision]}${cell}${RESET}` : cell;
      }),
      row.reasons[0]?.[locale] ?? '',
    ),
  );
  return `${[colour ? `${BOLD}${header}${RESET}` : header, ...body].join('\n')}\n`;
}

function widthOf(column: Column): number {
  return Math.max(length(column.title), ...column.cells.map(length));
}

function spaceOf(columns: readonly Column[]): number {
  return columns.reduce((sum, column) => sum + widthOf(column) + GAP.length, 0);
}

function pad(cell: string, column: Column): string {
  const fill = ' '.repeat(widthOf(column) - length(cell));
  return column.right ? fill + cell : cell + fill;
}

/** Code points, which is what a terminal shows for the Latin texts used here. */
function length(text: string): number {
  return [...text].length;
}

function cut(text: string, limit: number): string {
  const characters = [...text];
  return characters.length <= limit
    ? text
    : `${characters
        .slice(0, limit - 1)
        .join('')
        .trimEnd()}${ELLIPSIS}`;
}

/** Control characters in a file must not steer the terminal. */
function printable(text: string): string {
  return text.replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
}
