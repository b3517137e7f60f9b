// How many alerts and cases there are by state and queue, kept as they change: counting a million rows takes too long to do it
// whenever somebody looks. Who changes a state, a queue or a severity says so here, in the same transaction.
import { sql } from 'kysely';
import type { Severity } from '../../alerts/severity.ts';
import type { Tx } from './act.ts';
import { insertMany } from './bulk.ts';

interface AlertKind {
  readonly queue: string;
  readonly state: string;
  readonly severity: Severity;
}

/** What is to be added and taken away, summed before it is written. */
export class CountChanges {
  private readonly alerts = new Map<string, { kind: AlertKind; by: number }>();
  private readonly cases = new Map<string, { queue: string; state: string; by: number }>();

  alert(kind: AlertKind, by: number): void {
    const name = JSON.stringify([kind.queue, kind.state, kind.severity]);
    this.alerts.set(name, { kind, by: by + (this.alerts.get(name)?.by ?? 0) });
  }

  case({ queue, state }: { readonly queue: string; readonly state: string }, by: number): void {
    const name = JSON.stringify([queue, state]);
    this.cases.set(name, { queue, state, by: by + (this.cases.get(name)?.by ?? 0) });
  }

  /** In the order of the keys, so that two transactions never wait for each other. */
  async write(tx: Tx): Promise<void> {
    const alerts = sorted(this.alerts).map(({ kind, by }) => ({ ...kind, by }));
    const cases = sorted(this.cases);
    const key = [
      ['queue', 'text', ({ queue }: { queue: string }) => queue],
      ['state', 'text', ({ state }: { state: string }) => state],
    ] as const;
    const added = sql`DO UPDATE SET count = kept.count + excluded.count`;
    await insertMany(
      ...([tx, 'alert_counts', alerts] as const),
      [...key, ['severity', 'text', ({ severity }) => severity], ['count', 'bigint', ({ by }) => by]],
      sql`ON CONFLICT (queue, state, severity) ${added}`,
    );
    const caseColumns = [...key, ['count', 'bigint', ({ by }: { by: number }) => by]] as const;
    await insertMany(tx, 'case_counts', cases, caseColumns, sql`ON CONFLICT (queue, state) ${added}`);
  }
}

function sorted<Value extends { readonly by: number }>(changes: ReadonlyMap<string, Value>): Value[] {
  return [...changes]
    .filter(([, { by }]) => by !== 0)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, value]) => value);
}
