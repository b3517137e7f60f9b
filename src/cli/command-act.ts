// Who does something to the records on the command line: believed what it says, and in the audit as the command line.
import { randomUUID } from 'node:crypto';
import { cleanText } from '../alerts/written-text.ts';
import type { Act } from '../records/alerts/act.ts';
import { type CommandContext, type OptionSpec, type OptionValues, UsageError } from './command.ts';

export interface CommandAct {
  readonly act: Act;
  /** Empty where none is given. */
  readonly reason: string;
}

export const BY_OPTIONS = {
  by: { type: 'text', value: 'NAME', help: 'who does it' },
  reason: { type: 'text', help: 'why' },
} as const satisfies Record<string, OptionSpec>;

const MOST_NAME = 100;
const MOST_REASON = 2_000;

/** @throws UsageError where it is not said who does it */
export function commandAct(command: string, { by, reason }: OptionValues, { nowMs }: CommandContext): CommandAct {
  if (typeof by !== 'string' || by.trim() === '')
    throw new UsageError(`${command}: --by NAME is missing: who does it?`);
  const atMs = nowMs();
  const name = cleanText(by, MOST_NAME, 'name');
  const act = { by: { kind: 'system', id: 'command-line', name }, permissions: new Set<string>(), atMs } as const;
  return {
    act: { ...act, address: null, newId: randomUUID },
    reason: typeof reason === 'string' && reason.trim() !== '' ? cleanText(reason, MOST_REASON, 'reason') : '',
  };
}
