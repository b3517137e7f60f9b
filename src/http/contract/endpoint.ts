// What an endpoint is: one description from which come its validation, its types, who may call it, and its documentation.
//
// Nothing about an endpoint is said anywhere else. `access` has no default: an endpoint without a rule does not compile, and
// a route that is in no contract is not served (app.ts).
import type Type from 'typebox';
import type { Static } from 'typebox';
import type { Permission } from '../../identity/permissions.ts';

export interface Texts {
  readonly es: string;
  readonly en: string;
}

export type Method = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

/** `anyone`: without being known; `signed-in`: any known person or program, for what is their own. */
export type Access = Permission | 'anyone' | 'signed-in';

export type BodyKind =
  /** Read and checked against the schema. */
  | 'json'
  /** Given to the handler as bytes, which checks them; the schema is what the documentation says. */
  | 'json-bytes'
  /** A JSON value a line, taken as it comes. */
  | 'ndjson'
  /** Of a page's form, which browsers send without a script: fields are texts, and no session counts (guard.ts). */
  | 'form'
  /** A file. */
  | 'file';

export const MEDIA_TYPES = {
  ...{ json: 'application/json', 'json-bytes': 'application/json', ndjson: 'application/x-ndjson' },
  ...{ form: 'application/x-www-form-urlencoded', file: 'application/octet-stream' },
} as const satisfies Readonly<Record<BodyKind, string>>;

export interface EndpointSpec {
  readonly method: Method;
  /** With `:name` for what varies; a colon in a verb (`/v1/transactions:batch`) is written `::`. */
  readonly path: `/${string}`;
  readonly tag: Tag;
  readonly summary: Texts;
  readonly access: Access;
  readonly params?: Type.TObject;
  readonly query?: Type.TObject;
  readonly body?: Type.TSchema;
  /** Default `json`. */
  readonly bodyKind?: BodyKind;
  /** Default 64 KiB. */
  readonly mostBodyBytes?: number;
  /** null: nothing but the status. */
  readonly answer: Type.TSchema | null;
  /** Of the answer where it is not JSON. */
  readonly answerType?:
    | 'application/x-ndjson'
    | 'text/event-stream'
    | 'text/html'
    | 'text/plain'
    | 'application/octet-stream';
  /** Default 200, or 204 without an answer; 303 leads a browser elsewhere. */
  readonly status?: 200 | 201 | 202 | 204 | 303;
  /** With which the same kind of answer comes, too: a page that says that something is gone. */
  readonly otherStatuses?: readonly (404 | 410)[];
  /**
   * `read`: changes nothing. `change`: runs in one transaction of the records with what it writes into the audit, and, under an
   * `Idempotency-Key`, once. `own`: sees to all of that itself.
   */
  readonly does: 'read' | 'change' | 'own';
  /** The row's version is told as an ETag, and a change must name the one that it saw (`If-Match`). */
  readonly versioned?: boolean;
  /** Fields of the answer that people wrote: scrubbed for who does not hold `personal-data:read`. */
  readonly written?: readonly string[];
  /** How often one caller may ask, a minute; default by `does`. */
  readonly mostPerMinute?: number;
}

export const TAGS = {
  transactions: { es: 'Operaciones', en: 'Transactions' },
  decisions: { es: 'Decisiones', en: 'Decisions' },
  alerts: { es: 'Alertas', en: 'Alerts' },
  cases: { es: 'Casos', en: 'Cases' },
  labels: { es: 'Etiquetas', en: 'Labels' },
  rules: { es: 'Reglas', en: 'Rules' },
  lists: { es: 'Listas', en: 'Lists' },
  models: { es: 'Modelos', en: 'Models' },
  replays: { es: 'Repeticiones', en: 'Replays' },
  privacy: { es: 'Datos personales', en: 'Personal data' },
  audit: { es: 'Pista de auditoría', en: 'Audit trail' },
  notifications: { es: 'Avisos', en: 'Notifications' },
  session: { es: 'Ingreso', en: 'Log-in' },
  users: { es: 'Usuarios', en: 'Users' },
  settings: { es: 'Configuración', en: 'Settings' },
  system: { es: 'Sistema', en: 'System' },
} as const satisfies Readonly<Record<string, Texts>>;

export type Tag = keyof typeof TAGS;

export function endpoint<const Spec extends EndpointSpec>(spec: Spec): Spec {
  return spec;
}

type StaticOf<Schema> = Schema extends Type.TSchema ? Static<Schema> : undefined;

export type ParamsOf<Spec extends EndpointSpec> = StaticOf<Spec['params']>;
export type QueryOf<Spec extends EndpointSpec> = StaticOf<Spec['query']>;
export type BodyOf<Spec extends EndpointSpec> = Spec['bodyKind'] extends 'json-bytes' | 'file'
  ? Uint8Array
  : Spec['bodyKind'] extends 'ndjson'
    ? AsyncIterable<Uint8Array>
    : StaticOf<Spec['body']>;
export type AnswerOf<Spec extends EndpointSpec> = Spec['answer'] extends Type.TSchema
  ? DeepReadonly<Static<Spec['answer']>>
  : null;

type DeepReadonly<Value> = Value extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : Value extends object
    ? { readonly [Name in keyof Value]: DeepReadonly<Value[Name]> }
    : Value;
