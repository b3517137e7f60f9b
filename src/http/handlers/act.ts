// Who does something with alerts and cases, as the records know it.
import type { Act } from '../../records/alerts/act.ts';
import type { Asked } from '../asked.ts';
import type { EndpointSpec } from '../contract.ts';

export type NewId = (nowMs: number) => string;

export function actOf({ principal, nowMs, address }: Asked<EndpointSpec>, newId: NewId): Act {
  const { kind, id, name, permissions } = principal!;
  return { by: { kind, id, name }, permissions, atMs: nowMs, address, newId: () => newId(nowMs) };
}
