// How the cost of `detect` grows with the number of rows: seconds and peak memory at 0.1, 1 and 10 million rows.
//
// Each size runs in a process of its own on a simulated file, so that its peak memory is its own. The curve is written
// to bench/growth.svg.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface Point {
  readonly rows: number;
  readonly seconds: number;
  readonly peakMemoryMb: number;
}

const MAIN = join(dirname(dirname(fileURLToPath(import.meta.url))), 'dist', 'main.js');
/** About 1.73 transactions per customer and day. */
const SIZES = [
  { millions: 0.1, customers: 1_290 },
  { millions: 1, customers: 12_900 },
  { millions: 10, customers: 129_000 },
];
const DAYS = 45;

export async function benchGrowth(): Promise<Record<string, number>> {
  const folder = mkdtempSync(join(tmpdir(), 'centinela-growth-'));
  const figures: Record<string, number> = {};
  const points: Point[] = [];
  try {
    for (const { millions, customers } of SIZES) {
      const file = join(folder, 'transactions.csv');
      const simulated = run([
        'simulate',
        '--customers',
        String(customers),
        '--days',
        String(DAYS),
        '--seed',
        '11',
        '--out',
        file,
      ]);
      const detected = run(['detect', file, '--mapping', 'canonical', '--out', join(folder, 'out')]);
      points.push({ rows: detected.rows, seconds: detected.seconds, peakMemoryMb: detected.peakMemoryMb });
      figures[`rows${millions}M`] = detected.rows;
      figures[`simulateSeconds${millions}M`] = simulated.seconds;
      figures[`detectSeconds${millions}M`] = detected.seconds;
      figures[`detectPeakMemoryMb${millions}M`] = detected.peakMemoryMb;
      rmSync(file);
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  writeFileSync(new URL('growth.svg', import.meta.url), plot(points));
  return figures;
}

function run(arguments_: readonly string[]) {
  const output = execFileSync(process.execPath, [MAIN, ...arguments_, '--json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1e8,
  });
  return JSON.parse(output.toString()) as { rows: number; seconds: number; peakMemoryMb: number };
}

const WIDTH = 860;
const HEIGHT = 340;
const MARGIN = 56;

/** Two panels on logarithmic axes: a straight line of slope one is cost in proportion to the rows. */
function plot(points: readonly Point[]): string {
  const panel = (left: number, title: string, value: (point: Point) => number) => {
    const width = WIDTH / 2 - MARGIN - 24;
    const height = HEIGHT - 2 * MARGIN;
    const x = (rows: number) => left + ((Math.log10(rows) - 4.8) / 2.5) * width;
    const low = Math.floor(Math.log10(Math.min(...points.map(value))));
    const high = Math.ceil(Math.log10(Math.max(...points.map(value))));
    const y = (v: number) => MARGIN + height - ((Math.log10(v) - low) / Math.max(1, high - low)) * height;
    const ticks = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
    return [
      `<text x="${left}" y="28" class="title">${title}</text>`,
      ...ticks.map(
        (tick) =>
          `<line x1="${left}" x2="${left + width}" y1="${y(tick)}" y2="${y(tick)}" class="grid"/><text x="${left - 8}" y="${y(tick) + 4}" text-anchor="end">${tick.toLocaleString('en-US')}</text>`,
      ),
      `<polyline points="${points.map((point) => `${x(point.rows)},${y(value(point))}`).join(' ')}"/>`,
      ...points.map(
        (point) =>
          `<circle cx="${x(point.rows)}" cy="${y(value(point))}" r="4"/><text x="${x(point.rows)}" y="${y(value(point)) - 10}" text-anchor="middle">${Math.round(value(point)).toLocaleString('en-US')}</text>`,
      ),
      ...points.map(
        (point) =>
          `<text x="${x(point.rows)}" y="${HEIGHT - 24}" text-anchor="middle">${(point.rows / 1e6).toFixed(point.rows < 1e6 ? 2 : 1)} M rows</text>`,
      ),
    ].join('\n');
  };
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="system-ui, sans-serif" font-size="12">
<style>rect{fill:#fff}text{fill:#333}.title{font-size:14px;font-weight:600}.grid{stroke:#ddd}polyline{fill:none;stroke:#1f5fa8;stroke-width:2}circle{fill:#1f5fa8}</style>
<rect width="${WIDTH}" height="${HEIGHT}"/>
${panel(MARGIN + 8, 'detect, seconds', (point) => point.seconds)}
${panel(WIDTH / 2 + MARGIN, 'detect, peak memory (MB)', (point) => point.peakMemoryMb)}
</svg>
`;
}
