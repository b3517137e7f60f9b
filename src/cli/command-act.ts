// Who does something to the records on the command line: believed what it says, and in the audit as the command line.
import { cleanText } from '../alerts/written-text.ts';
import type { Act } from '../records/alerts/act.ts';
import { newId } from '../roles/service/vault.ts';
import { type CommandContext, type OptionValues, UsageError } from './command.ts';

export interface CommandAct {
  readonly act: Act;
  /** Empty where none is given. */
  readonly reason: string;
}

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
    act: { ...act, address: null, newId: () => newId(atMs) },
    reason: typeof reason === 'string' && reason.trim() !== '' ? cleanText(reason, MOST_REASON, 'reason') : '',
  };
}
