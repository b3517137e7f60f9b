// The contract as an OpenAPI 3.1 document: for clients' generators, for fuzzers, for gateways.
import { ENDPOINTS, type EndpointSpec, MEDIA_TYPES, ProblemSchema, TAGS } from './contract.ts';
import { isOpen } from './validate.ts';

type Json = Record<string, unknown>;

const KEY_HEADER = {
  name: 'Idempotency-Key',
  in: 'header',
  required: false,
  schema: { type: 'string', minLength: 8, maxLength: 200 },
  description: 'The same key with the same request is done once, and answered alike for 24 hours',
};
const VERSION_HEADER = {
  name: 'If-Match',
  in: 'header',
  required: true,
  schema: { type: 'string', pattern: '^"[0-9]{1,9}"$' },
  description: 'The ETag of what is changed, as it was seen',
};

export function openApiDocument(version: string): Json {
  const paths: Record<string, Json> = {};
  for (const [name, spec] of Object.entries(ENDPOINTS) as [string, EndpointSpec][]) {
    const path = openApiPath(spec.path);
    paths[path] = { ...paths[path], [spec.method.toLowerCase()]: operationOf(name, spec) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Centinela',
      version,
      description: "Decides a bank's transactions as they happen, and says why.",
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, { en }]) => ({ name, description: en })),
    paths,
    components: {
      schemas: { Problem: plain(ProblemSchema) },
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'A key made by an administrator' },
        session: { type: 'apiKey', in: 'cookie', name: '__Host-centinela' },
      },
    },
  };
}

/** `/v1/alerts/:id` → `/v1/alerts/{id}`; `::` is a colon. */
export function openApiPath(path: string): string {
  return path.replace(/(?<!:):([A-Za-z]+)/g, '{$1}').replaceAll('::', ':');
}

function operationOf(name: string, spec: EndpointSpec): Json {
  const { summary, tag, access, does, versioned, method } = spec;
  const status = spec.status ?? (spec.answer === null ? 204 : 200);
  return {
    operationId: name,
    summary: summary.en,
    'x-summary-es': summary.es,
    tags: [tag],
    security: access === 'anyone' ? [] : [{ key: [] }, { session: [] }],
    ...(access !== 'anyone' && { 'x-permission': access }),
    parameters: [
      ...parametersOf(spec.params, 'path'),
      ...parametersOf(spec.query, 'query'),
      ...(does === 'change' ? [KEY_HEADER] : []),
      ...(versioned === true && method !== 'GET' ? [VERSION_HEADER] : []),
    ],
    ...(spec.body !== undefined || spec.bodyKind === 'file' ? { requestBody: bodyOf(spec) } : {}),
    responses: { ...problemsOf(spec), ...pagesOf(spec), [status]: answerOf(spec) },
  };
}

const PROBLEM = {
  description: 'What went wrong',
  content: { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
};

/** Every status that it may have: a client, or a fuzzer, that sees another one has found a mistake of ours. */
function problemsOf({ access, params, query, body, bodyKind, versioned, method, does }: EndpointSpec): Json {
  const reads = body !== undefined || bodyKind === 'file';
  const isChange = method !== 'GET';
  const statuses = [
    ...[400, 422, 429, 503],
    // Some of what anyone may ask for is whether a password or a link is right.
    ...(access === 'anyone' && !isChange ? [] : [401, 403]),
    ...(params !== undefined || isChange ? [404, 409] : query === undefined ? [] : [404]),
    ...(reads ? [408, 413, 415] : []),
    // What others write may be longer than the headers of a request may be.
    ...(isOpen(query) ? [431] : []),
    ...(versioned === true && isChange ? [428] : []),
    ...(does !== 'read' || versioned === true ? [412] : []),
  ];
  return Object.fromEntries(statuses.sort((a, b) => a - b).map((status) => [status, PROBLEM]));
}

/** Where a problem is told as the answer is: to people, on a page. */
function pagesOf({ otherStatuses = [], answerType }: EndpointSpec): Json {
  if (answerType === undefined) return {};
  const page = { ...PROBLEM, content: { [answerType]: { schema: { type: 'string' } }, ...PROBLEM.content } };
  return Object.fromEntries(otherStatuses.map((status) => [status, page]));
}

function answerOf({ answer, answerType = undefined, versioned }: EndpointSpec): Json {
  return {
    description: answer === null ? 'Done' : 'The answer',
    ...(versioned === true && { headers: { ETag: { schema: { type: 'string' } } } }),
    ...(answer !== null && { content: { [answerType ?? 'application/json']: { schema: plain(answer) } } }),
  };
}

function bodyOf({ body, bodyKind = 'json' }: EndpointSpec): Json {
  const type = MEDIA_TYPES[bodyKind];
  const schema = bodyKind === 'file' ? { type: 'string', format: 'binary' } : plain(body);
  return { required: true, content: { [type]: { schema } } };
}

function parametersOf(schema: EndpointSpec['params'], place: 'path' | 'query'): Json[] {
  if (schema === undefined) return [];
  const { properties, required = [] } = plain(schema) as { properties: Record<string, Json>; required?: string[] };
  return Object.entries(properties).map(([name, { description, ...rest }]) => ({
    ...{ name, in: place, required: place === 'path' || required.includes(name), schema: rest },
    ...(description !== undefined && { description }),
  }));
}

/** As JSON: without what the schema's maker keeps beside it, nor ids that would make references of it. */
function plain(schema: unknown): Json {
  return JSON.parse(JSON.stringify(schema, (key, value) => (key === '$id' ? undefined : value))) as Json;
}
