// A client of Confluent's schema registry (and those that speak its REST protocol): schemas by id, asked for once.
import { setTimeout as sleep } from 'node:timers/promises';
import { InputError, StreamUnavailableError } from '../../../lib/errors.ts';

export type SchemaKind = 'AVRO' | 'PROTOBUF' | 'JSON';

export interface RegisteredSchema {
  readonly kind: SchemaKind;
  readonly text: string;
  /** Name by which the schema refers to another → its text, those that the others refer to first. */
  readonly references: ReadonlyMap<string, string>;
}

export interface SchemaRegistry {
  /**
   * @throws InputError where the registry has no such schema
   * @throws StreamUnavailableError where it does not answer, or refuses us
   */
  schema(id: number): Promise<RegisteredSchema>;
}

export interface SchemaRegistryOptions {
  readonly url: string;
  /** The whole header's value, `Basic …` or `Bearer …`; null without. */
  readonly authorization: string | null;
  readonly timeoutMs: number;
}

interface Answer {
  readonly schema?: unknown;
  readonly schemaType?: unknown;
  readonly references?: unknown;
}

interface Reference {
  readonly name: string;
  readonly subject: string;
  readonly version: number;
}

const MAX_KEPT = 1000;
const MAX_BYTES = 1024 * 1024;
const MAX_REFERENCES = 50;
const TRIES = 3;
const PAUSE_MS = 200;
/** An id that the registry does not know is not asked for again for so long: bad bytes must not become requests. */
const UNKNOWN_FOR_MS = 60_000;

export function createSchemaRegistry(options: SchemaRegistryOptions, nowMs: () => number): SchemaRegistry {
  const base = options.url.replace(/\/+$/, '');
  const kept = new Map<number, { readonly answer: Promise<RegisteredSchema>; untilMs: number }>();

  async function once(path: string): Promise<Answer> {
    const { authorization, timeoutMs } = options;
    const response = await fetch(`${base}${path}`, {
      headers: {
        accept: 'application/vnd.schemaregistry.v1+json, application/json',
        ...(authorization !== null && { authorization }),
      },
      redirect: 'error',
      signal: AbortSignal.timeout(timeoutMs),
    });
    if (response.status === 404) {
      throw new InputError(
        'SCHEMA_UNKNOWN',
        `The schema registry has no ${path}`,
        'Register the schema, or look at who wrote the value',
      );
    }
    if (response.status === 401 || response.status === 403) {
      // Not a fault of the values that wait for it.
      throw new StreamUnavailableError(
        `The schema registry at ${base} refuses (${response.status}): check its user and password, or token`,
      );
    }
    if (!response.ok) throw new Error(`it answered ${response.status}`);
    return JSON.parse(await limited(response)) as Answer;
  }

  async function get(path: string): Promise<Answer> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await once(path);
      } catch (error) {
        if (error instanceof InputError || error instanceof StreamUnavailableError) throw error;
        if (attempt === TRIES) {
          throw new StreamUnavailableError(
            `The schema registry at ${base} does not answer: ${(error as Error).message}`,
            {
              cause: error,
            },
          );
        }
        await sleep(PAUSE_MS * attempt);
      }
    }
  }

  async function follow(answer: Answer, into: Map<string, string>): Promise<void> {
    for (const { name, subject, version } of referencesOf(answer)) {
      if (into.has(name)) continue;
      if (into.size >= MAX_REFERENCES) {
        throw new InputError(
          'SCHEMA_REFERENCES',
          `A schema refers to more than ${MAX_REFERENCES} others`,
          'Put them together',
        );
      }
      const referred = await get(`/subjects/${encodeURIComponent(subject)}/versions/${version}`);
      into.set(name, '');
      await follow(referred, into);
      // Put in anew, so that it stands after what it refers to.
      into.delete(name);
      into.set(name, textOf(referred));
    }
  }

  async function load(id: number): Promise<RegisteredSchema> {
    const answer = await get(`/schemas/ids/${id}`);
    const references = new Map<string, string>();
    await follow(answer, references);
    const kind = answer.schemaType ?? 'AVRO';
    if (kind !== 'AVRO' && kind !== 'PROTOBUF' && kind !== 'JSON') {
      throw new InputError(
        'SCHEMA_KIND',
        `Schema ${id} is of the unknown kind '${String(kind).slice(0, 40)}'`,
        'Use AVRO, PROTOBUF or JSON',
      );
    }
    return { kind, text: textOf(answer), references };
  }

  return {
    schema(id) {
      const known = kept.get(id);
      if (known !== undefined && nowMs() < known.untilMs) return known.answer;
      const entry = { answer: load(id), untilMs: Number.POSITIVE_INFINITY };
      if (kept.size >= MAX_KEPT) kept.delete(kept.keys().next().value as number);
      kept.set(id, entry);
      entry.answer.catch((error) => {
        if (error instanceof InputError) entry.untilMs = nowMs() + UNKNOWN_FOR_MS;
        else kept.delete(id);
      });
      return entry.answer;
    },
  };
}

function textOf({ schema }: Answer): string {
  if (typeof schema === 'string') return schema;
  throw new InputError('SCHEMA_ANSWER', 'The schema registry answered without a schema', 'Check its address');
}

function referencesOf({ references }: Answer): Reference[] {
  if (!Array.isArray(references)) return [];
  return references.map((one) => ({
    name: String(one?.name),
    subject: String(one?.subject),
    version: Number(one?.version),
  }));
}

async function limited(response: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of response.body ?? []) {
    bytes += part.length;
    if (bytes > MAX_BYTES) {
      throw new InputError('SCHEMA_TOO_LARGE', `A schema of more than ${MAX_BYTES} bytes`, 'Register a smaller one');
    }
    parts.push(part);
  }
  return Buffer.concat(parts).toString();
}
