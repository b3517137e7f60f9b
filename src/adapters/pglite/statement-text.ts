// A statement as it goes to the database's thread and into the redo log.
import type { SqlStatement } from '../../ports.ts';
import { parameterText } from '../postgres/parameter-text.ts';
import type { StatementText } from './messages.ts';

/** In characters, which is near enough for a limit. */
export function bytesOf({ text, parameters }: StatementText): number {
  let bytes = text.length;
  for (const parameter of parameters) bytes += parameter?.length ?? 0;
  return bytes;
}

export function textOf({ text, parameters }: SqlStatement): StatementText {
  return { text, parameters: parameters.map(parameterText) };
}
