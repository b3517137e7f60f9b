// `demo`: simulate, train, stream, and watch it decide; what `npm start` runs.
import { createServer } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { openBlockFile } from '../adapters/files/block-file.ts';
import { formatMoney } from '../domain/money.ts';
import { type DemoTotals, runDemo } from '../jobs/demo.ts';
import { NO_RULES } from '../jobs/rules/rules-over-features.ts';
import type { Decision } from '../pipeline/explain-decision.ts';
import { limaTimestamp } from '../report/lima-time.ts';
import { detectorChoices } from '../training/detector-choices.ts';
import type { Command, CommandContext } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { detectorsHere } from './detectors-here.ts';
import { createProgress } from './progress.ts';
import { BUILT_IN_RULES, readPlacedRules } from './rule-files.ts';

const DAY_MS = 86_400_000;
const CUSTOMERS = 1500;
const HISTORY_DAYS = 45;
const LIVE_DAYS = 3;
const REVIEW_SHARE = 0.005;
/** Flagged transactions printed per second: more cannot be read. */
const SHOWN_PER_SECOND = 4;

export const demoCommand: Command = {
  ...OUTLINES.demo,
  options: {
    tps: { type: 'number', help: 'transactions per second to decide', default: 400, minimum: 1, maximum: 1_000_000 },
    seed: {
      type: 'number',
      help: 'the same seed gives the same bank',
      default: 1,
      minimum: 0,
      maximum: 4_294_967_295,
      whole: true,
    },
    lang: { type: 'text', help: 'language of the reasons', choices: ['es', 'en'], default: 'es' },
    port: {
      type: 'number',
      help: 'also serve the totals as JSON on this loopback port while it runs',
      minimum: 0,
      maximum: 65_535,
      whole: true,
    },
  },
  async run(_positional, options, context) {
    const { out, log, terminal, nowMs } = context;
    const locale = options.lang as 'es' | 'en';
    const progress = createProgress(log, terminal, nowMs);
    const started = nowMs();
    log(
      `A bank of ${CUSTOMERS} customers in Peru, simulated; it learns ${HISTORY_DAYS} days and decides the next ${LIVE_DAYS}.\n`,
    );
    const pace = createPace(options.tps as number, nowMs);
    const screen = createScreen(context, locale);
    let latest: DemoTotals | null = null;
    const server = options.port === undefined ? null : serveTotals(options.port as number, () => latest, log);
    const builtIn = await readPlacedRules(BUILT_IN_RULES);
    try {
      const totals = await runDemo({
        customers: CUSTOMERS,
        historyDays: HISTORY_DAYS,
        liveDays: LIVE_DAYS,
        seed: options.seed as number,
        labelDelayMs: 3 * DAY_MS,
        reviewShare: REVIEW_SHARE,
        memoryLimitBytes: 640e6,
        openStore: () => openBlockFile(),
        rules: { ...NO_RULES, placed: builtIn.rules, detectors: detectorsHere().map(({ name }) => name) },
        detectors: detectorChoices('gbdt,isolation-forest', detectorsHere()),
        onProgress: (what, share) => progress.show(what, share),
        onTrained: ({ rows, frauds, features, averagePrecision }) => {
          progress.done();
          const precision =
            averagePrecision === null ? '' : `; average precision on later days ${averagePrecision.toFixed(2)}`;
          log(
            `Learned from ${rows.toLocaleString('en-US')} transactions (${frauds} labelled frauds and errors), ${features} features, ` +
              `in ${((nowMs() - started) / 1000).toFixed(1)} s${precision}. Live:\n\n`,
          );
        },
        onDecisions: async (decisions, sofar) => {
          latest = sofar;
          screen.show(decisions, sofar);
          await pace(decisions.length);
        },
      });
      screen.end();
      if (options.json === true) out(`${JSON.stringify({ ...totals, seconds: (nowMs() - started) / 1000 })}\n`);
      else out(summaryOf(totals));
    } finally {
      server?.close();
    }
  },
};

/** Waits so that no more than `perSecond` transactions pass. */
function createPace(perSecond: number, nowMs: () => number) {
  let startedMs: number | null = null;
  let passed = 0;
  return async (count: number) => {
    startedMs ??= nowMs();
    passed += count;
    const aheadMs = (passed / perSecond) * 1000 - (nowMs() - startedMs);
    if (aheadMs > 20) await sleep(aheadMs);
  };
}

/** Flagged transactions as they come, and on a terminal a line of totals under them. */
function createScreen({ log, terminal, nowMs }: CommandContext, locale: 'es' | 'en') {
  let startedMs: number | null = null;
  let shownAtMs = Number.NEGATIVE_INFINITY;
  let held: Decision[] = [];
  return {
    show(decisions: readonly Decision[], totals: DemoTotals): void {
      const now = nowMs();
      startedMs ??= now;
      held.push(...decisions.filter(({ action }) => action !== 'approve'));
      if (now - shownAtMs < 1000) return;
      shownAtMs = now;
      const riskiest = held.sort((a, b) => b.risk - a.risk).slice(0, SHOWN_PER_SECOND);
      held = [];
      if (terminal) log('\r\x1b[K');
      for (const decision of riskiest) log(alertLine(decision, locale, terminal));
      if (terminal) log(statusLine(totals, (now - startedMs) / 1000));
    },
    end(): void {
      if (terminal) log('\r\x1b[K');
    },
  };
}

function alertLine({ transaction, risk, action, reasons }: Decision, locale: 'es' | 'en', colour: boolean): string {
  const mark =
    action === 'hold' || action === 'decline' ? (colour ? '\x1b[31m■\x1b[0m' : '■') : colour ? '\x1b[33m▲\x1b[0m' : '▲';
  const money = formatMoney(transaction.amountMinor, transaction.currency);
  const why = reasons.map((reason) => reason[locale]).join(' · ');
  return `${mark} ${limaTimestamp(transaction.eventTimeMs)}  ${money.padStart(14)}  ${(risk * 100).toFixed(0).padStart(3)} %  ${why}\n`;
}

function statusLine(totals: DemoTotals, seconds: number): string {
  return `${totals.rows.toLocaleString('en-US')} decided, ${Math.round(totals.rows / Math.max(seconds, 0.001)).toLocaleString('en-US')}/s, ${totals.flagged} flagged, ${totals.flaggedFrauds} of ${totals.frauds} frauds and errors so far`;
}

function summaryOf(totals: DemoTotals): string {
  const share = totals.fraudMinor === 0 ? 0 : totals.caughtMinor / totals.fraudMinor;
  return [
    '',
    `${totals.rows.toLocaleString('en-US')} transactions decided, ${totals.flagged} flagged for the analysts.`,
    `Frauds and errors flagged: ${totals.flaggedFrauds} of ${totals.frauds}; ${formatMoney(totals.caughtMinor, 'PEN')} of ${formatMoney(totals.fraudMinor, 'PEN')} (${Math.round(share * 100)} %).`,
    '',
    'What to do next',
    '  npx centinela simulate --customers 2000 --days 60 --seed 7 --out out/bank.csv.gz    a labelled file to play with',
    '  npx centinela detect out/bank.csv.gz                                                ranked anomalies, out/report.html',
    '  npx centinela detect YOUR-FILE.csv                                                  the same on your own transactions',
    '  npx centinela --help                                                                everything else',
    '',
  ].join('\n');
}

function serveTotals(port: number, totals: () => DemoTotals | null, log: (text: string) => void) {
  const server = createServer((_request, response) => {
    response.setHeader('content-type', 'application/json');
    response.end(`${JSON.stringify(totals() ?? { rows: 0 })}\n`);
  });
  server.listen(port, '127.0.0.1', () => {
    const address = server.address();
    if (address !== null && typeof address === 'object') log(`Totals at http://127.0.0.1:${address.port}/\n`);
  });
  server.unref();
  return server;
}
