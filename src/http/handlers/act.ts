// Who does something with alerts and cases, as the records know it.
import type { TextSealing } from '../../privacy/sealed-text.ts';
import type { Act } from '../../records/alerts/act.ts';
import type { Asked } from '../asked.ts';
import type { EndpointSpec } from '../contract.ts';

export type NewId = (nowMs: number) => string;

/** @param texts seals what is written; without it nothing is to be written about anybody */
export function actOf({ principal, nowMs, address }: Asked<EndpointSpec>, newId: NewId, texts?: TextSealing): Act {
  const { kind, id, name, permissions } = principal!;
  const sealing = texts === undefined ? {} : { texts };
  return { by: { kind, id, name }, permissions, atMs: nowMs, address, newId: () => newId(nowMs), ...sealing };
}
