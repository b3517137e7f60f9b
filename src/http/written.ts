// What people wrote, in an answer: who may see it as it is, and that somebody reads it.
import type { PersonalDataView } from '../audit/view-buffer.ts';
import { maskWritten, writtenIn } from '../privacy/masking.ts';
import { Scrubber } from '../privacy/scrubber.ts';
import type { Asked } from './asked.ts';
import type { EndpointSpec } from './contract/endpoint.ts';
import type { Known } from './guard.ts';

const scrubber = new Scrubber();

/** Of an answer, what its reader may see. */
export function shown({ written }: EndpointSpec, body: unknown, known: Known | null): unknown {
  if (written === undefined) return body;
  return maskWritten(body, written, {
    mayRead: known?.principal.permissions.has('personal-data:read') ?? false,
    scrubber,
  });
}

/**
 * Who reads what people wrote looks at personal data, scrubbed or not: a scrubber does not know names. One view an answer,
 * however much is in it; null where there is nothing to read.
 */
export function viewOf(
  name: string,
  { written, method, path }: EndpointSpec,
  { principal, params, address }: Asked,
  body: unknown,
): PersonalDataView | null {
  if (written === undefined || method !== 'GET' || principal === null) return null;
  const fields = writtenIn(body, written);
  if (fields.length === 0) return null;
  const { kind, id, name: byName } = principal;
  const param = /:([a-z]+)Id\b/.exec(path)?.[1];
  const subject =
    param === undefined
      ? { kind: 'page', id: name }
      : { kind: param, id: (params as Readonly<Record<string, string>>)[`${param}Id`] };
  return { actor: { kind, id, name: byName }, subject, address, fields };
}
