// A network as a text table: layers, what comes out of each, and how many numbers it has. As Keras prints it.
import type { NetworkDescription } from '../models/network/description.ts';
import { layerText } from '../models/network/layer-text.ts';
import { layoutParameters, type ParameterSlot } from '../models/network/parameters.ts';
import { layerWidths } from '../models/network/sequential.ts';

const HEAD = ['Layer', 'Output shape', 'Parameters'] as const;
const BYTES_PER_NUMBER = 4;

export function summaryOf(description: NetworkDescription): string {
  const widths = layerWidths(description);
  const { learned, tracked, learnedLength, trackedLength } = layoutParameters(description);
  const count = (slots: readonly ParameterSlot[]) => slots.reduce((sum, { length }) => sum + length, 0);
  const rows = description.layers.map((layer, index) => [
    layerText(layer),
    `(rows, ${widths[index + 1]})`,
    count([...learned[index], ...tracked[index]]).toLocaleString('en-US'),
  ]);
  const columns = HEAD.map((head, column) => Math.max(head.length, ...rows.map((row) => row[column].length)));
  const rule = (left: string, between: string, right: string) =>
    `${left}${columns.map((width) => '─'.repeat(width + 2)).join(between)}${right}`;
  const line = (cells: readonly string[]) =>
    `│${cells.map((cell, i) => ` ${i === HEAD.length - 1 ? cell.padStart(columns[i]) : cell.padEnd(columns[i])} `).join('│')}│`;
  const total = (what: string, numbers: number) =>
    ` ${what}: ${numbers.toLocaleString('en-US')} (${sizeText(numbers)})`;
  return [
    `Sequential network of ${description.inputs} inputs`,
    rule('┌', '┬', '┐'),
    line(HEAD),
    rule('├', '┼', '┤'),
    ...rows.map(line),
    rule('└', '┴', '┘'),
    total('Parameters', learnedLength + trackedLength),
    total('learned', learnedLength),
    total('tracked', trackedLength),
    '',
  ].join('\n');
}

function sizeText(numbers: number): string {
  const bytes = numbers * BYTES_PER_NUMBER;
  return bytes < 1e6 ? `${(bytes / 1024).toFixed(1)} KB` : `${(bytes / 1024 ** 2).toFixed(1)} MB`;
}
