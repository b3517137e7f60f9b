// The HTTP server: the contract's endpoints, each guarded, checked, limited, and answered alike.
//
// Fastify does the protocol. In this order: who asks, may they, how often, the body with its limit, its shape, the handler.
// What a handler throws becomes a problem (RFC 9457); what nobody foresaw is logged with the request's id and told as 500
// without a word of what it was.
import { randomUUID } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import { Readable } from 'node:stream';
import type { TLSSocket } from 'node:tls';
import rateLimit from '@fastify/rate-limit';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { PersonalDataView } from '../audit/view-buffer.ts';
import { type ClientCertificate, readClientCertificate } from '../identity/client-certificate.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Answer, Asked, Handlers } from './asked.ts';
import { AskedRequest } from './asked-request.ts';
import { answerBrokenClient } from './broken-client.ts';
import { ENDPOINTS, type EndpointName, type EndpointSpec, MEDIA_TYPES } from './contract.ts';
import {
  type Authenticate,
  bearerOf,
  type Credentials,
  CSRF_HEADER,
  checkAccess,
  checkForgery,
  cookieTokenOf,
  type Known,
  SESSION_COOKIE,
} from './guard.ts';
import { noEndpoint } from './no-endpoint.ts';
import { Problem, problemBody, problemOf } from './problem.ts';
import { countStrangers, type Strangers } from './strangers.ts';
import { type Check, checkOf, parseForm, parseJson, queryCheckOf, refuseNul } from './validate.ts';
import { shown, viewOf } from './written.ts';

export interface AppTls {
  readonly key: string;
  readonly cert: string;
  /** Who signs clients' certificates; null: none are asked for. */
  readonly clientAuthorities: string | null;
}

export interface AppOptions {
  readonly handlers: Handlers;
  /** Runs a change: in one transaction, once under an idempotency key (changes.ts). */
  readonly change: ChangeRunner;
  readonly authenticate: Authenticate;
  readonly logger: Logger;
  /** null: in clear, behind a proxy on the same machine. */
  readonly tls: AppTls | null;
  /** Proxies whose `X-Forwarded-For` is believed. */
  readonly trustedProxies: readonly string[];
  readonly nowMs: () => number;
  readonly observe: (name: EndpointName, status: number, milliseconds: number) => void;
  /** Into the audit, durable when it resolves: somebody is about to read what people wrote. */
  readonly view: (view: PersonalDataView) => Promise<void>;
  readonly limits?: Partial<AppLimits>;
}

export interface AppLimits {
  readonly headersMs: number;
  readonly requestMs: number;
  readonly idleMs: number;
  readonly connections: number;
  readonly headerBytes: number;
  /** Of one address, before more of who is not known is refused unread. */
  readonly strangersPerMinute: number;
  /** Of one caller, to an endpoint whose contract says nothing else. */
  readonly perMinute: Readonly<Record<EndpointSpec['does'], number>>;
}

export const DEFAULT_LIMITS: AppLimits = {
  ...{ headersMs: 10_000, requestMs: 60_000, idleMs: 72_000, connections: 10_000, headerBytes: 16_384 },
  ...{ strangersPerMinute: 300, perMinute: { read: 3000, change: 600, own: 3000 } },
};

export type ChangeRunner = (
  name: EndpointName,
  handler: Handlers[EndpointName],
  asked: Asked,
) => Promise<Answer<unknown>>;

const METHODS: ReadonlySet<string> = new Set(Object.values(ENDPOINTS).map(({ method }) => method));
const MOST_CHECKING_MS = 5000;
const DEFAULT_BODY_BYTES = 64 * 1024;
const MOST_CALLERS = 20_000;

declare module 'fastify' {
  interface FastifyRequest {
    known: Known | null;
    credentials: Credentials;
    begunMs: number;
  }
}

export async function createApp(options: AppOptions): Promise<FastifyInstance> {
  const { logger, tls, trustedProxies } = options;
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  const app = Fastify({
    ...(tls !== null && { https: tlsOptionsOf(tls, limits) }),
    ...(tls === null && { http: timesOf(limits) }),
    ...{ logger: false, genReqId: () => randomUUID(), requestIdHeader: false, bodyLimit: DEFAULT_BODY_BYTES },
    ...{ requestTimeout: limits.requestMs, keepAliveTimeout: limits.idleMs, forceCloseConnections: 'idle' as const },
    ...{ trustProxy: trustedProxies.length > 0 ? [...trustedProxies] : false, return503OnClosing: true },
    exposeHeadRoutes: false,
    // What is too long is told by the contract's check: nothing here is matched by an expression that could be slow.
    routerOptions: { maxParamLength: limits.headerBytes, ignoreTrailingSlash: false },
    onProtoPoisoning: 'remove',
    frameworkErrors: (error, request, reply) => answerProblem(error, request, reply as FastifyReply, logger),
    clientErrorHandler: answerBrokenClient,
  }) as unknown as FastifyInstance;
  app.server.maxConnections = limits.connections;
  app.decorateRequest('known', null);
  app.decorateRequest('credentials');
  app.decorateRequest('begunMs', 0);
  app.removeAllContentTypeParsers();
  await app.register(rateLimit, { global: false, cache: MOST_CALLERS });
  app.addHook('onRequest', (request, reply, done) => {
    request.begunMs = performance.now();
    request.credentials = credentialsOf(request);
    reply.headers(SECURITY_HEADERS);
    // Before the framework reads a body of methods that nothing here has.
    if (!METHODS.has(request.method)) done(noEndpoint(request.method, request.url));
    else if (isPacked(request))
      done(new Problem(415, 'CONTENT_ENCODING', 'Bodies are read as they are. Send it unpacked'));
    else done();
  });
  app.setNotFoundHandler((request, reply) =>
    answerProblem(noEndpoint(request.method, request.url), request, reply, logger),
  );
  app.setErrorHandler((error, request, reply) => answerProblem(error, request, reply, logger));
  const parts = { options, limits, strangers: countStrangers(limits.strangersPerMinute) };
  for (const name of Object.keys(ENDPOINTS) as EndpointName[]) await addRoute(app, name, parts);
  return app;
}

interface RouteParts {
  readonly options: AppOptions;
  readonly limits: AppLimits;
  readonly strangers: Strangers;
}

/** Each route is a scope of its own: what it reads of bodies is its own matter. */
async function addRoute(
  app: FastifyInstance,
  name: EndpointName,
  { options, limits, strangers }: RouteParts,
): Promise<void> {
  const spec: EndpointSpec = ENDPOINTS[name];
  const { method, path, access, does } = spec;
  const { authenticate, nowMs, observe, change } = options;
  const readBody = bodyReaderOf(spec);
  const checkParams = spec.params === undefined ? null : checkOf(spec.params, 'path');
  const checkQuery = spec.query === undefined ? refuseQuery : queryCheckOf(spec.query);
  const handler = options.handlers[name];
  await app.register(async (scope) => {
    addParser(scope, spec);
    scope.route({
      ...{ method, url: path, bodyLimit: spec.mostBodyBytes ?? DEFAULT_BODY_BYTES },
      config: {
        rateLimit: {
          ...{ max: spec.mostPerMinute ?? limits.perMinute[does], timeWindow: 60_000, hook: 'preParsing' as const },
          keyGenerator: ({ known, ip }: FastifyRequest) => known?.principal.id ?? ip,
        },
      },
      onRequest: async (request) => {
        refuseNul(request.url);
        const known = await authenticate(request.credentials, nowMs());
        request.known = known;
        if (known === null && access !== 'anyone') strangers.note(request.ip, nowMs());
        checkAccess(access, known);
        if (spec.bodyKind !== 'form') checkForgery(method, request.credentials, known);
      },
      onResponse: async (request, reply) => observe(name, reply.statusCode, performance.now() - request.begunMs),
      handler: async (request, reply) => {
        const asked = new AskedRequest(request, reply, nowMs(), {
          params: (checkParams === null ? undefined : checkParams(request.params)) as Asked['params'],
          query: checkQuery(request.query) as Asked['query'],
          body: readBody(request.body) as Asked['body'],
        });
        const answer =
          does === 'change'
            ? await change(name, handler, asked)
            : await (handler as (asked: Asked) => Promise<Answer<unknown>>)(asked);
        const view = viewOf(name, spec, asked, answer.body);
        if (view !== null) await options.view(view);
        return send(reply, spec, { ...answer, body: shown(spec, answer.body, request.known) });
      },
    });
  });
}

function send(
  reply: FastifyReply,
  spec: EndpointSpec,
  { body, status, version, headers }: Answer<unknown>,
): FastifyReply {
  reply.code(status ?? spec.status ?? (spec.answer === null ? 204 : 200)).header('cache-control', 'no-store');
  if (headers !== undefined) reply.headers(headers);
  if (version !== undefined) reply.header('etag', `"${version}"`);
  if (body === null || body === undefined) return reply.send();
  if (spec.answerType === undefined) {
    return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body));
  }
  reply.header(
    'content-type',
    spec.answerType.startsWith('text/') ? `${spec.answerType}; charset=utf-8` : spec.answerType,
  );
  if (typeof body === 'string') return reply.send(body);
  if (body instanceof Uint8Array) return reply.send(Buffer.from(body.buffer, body.byteOffset, body.length));
  return reply.send(Readable.from(body as AsyncIterable<string>, { objectMode: false }));
}

/** Fastify reads no body by itself: the contract says in which form each is taken. */
function addParser(scope: FastifyInstance, { bodyKind = 'json', body }: EndpointSpec): void {
  if (body === undefined && bodyKind !== 'file') return;
  if (bodyKind === 'ndjson') {
    scope.addContentTypeParser(MEDIA_TYPES.ndjson, (_, payload, done) => done(null, payload));
    return;
  }
  scope.addContentTypeParser(MEDIA_TYPES[bodyKind], { parseAs: 'buffer' }, (_, bytes, done) => done(null, bytes));
}

function bodyReaderOf({ body, bodyKind = 'json' }: EndpointSpec): Check {
  if (bodyKind === 'form' && body !== undefined) {
    const check = checkOf(body, 'body');
    return (given) => check(given === undefined ? {} : parseForm(given as Uint8Array));
  }
  if (bodyKind !== 'json') {
    return (given) => {
      if (given === undefined) throw new Problem(400, 'BODY_MISSING', 'The body is missing. See /docs');
      return given;
    };
  }
  if (body === undefined) {
    return (given) => {
      if (given !== undefined) throw new Problem(400, 'BODY_UNEXPECTED', 'This endpoint reads no body. Send none');
      return undefined;
    };
  }
  const check = checkOf(body, 'body');
  return (given) => {
    if (given === undefined) throw new Problem(400, 'BODY_MISSING', 'The body is missing: send JSON. See /docs');
    return check(parseJson(given as Uint8Array));
  };
}

const refuseQuery: Check = (query) => {
  const [name] = Object.keys(query as object);
  if (name !== undefined)
    throw new Problem(422, 'QUERY_INVALID', `This endpoint has no ${name.slice(0, 40)} in its query`);
  return undefined;
};

/** Unpacked it could be of any size. */
function isPacked({ headers }: FastifyRequest): boolean {
  const encoding = headers['content-encoding'];
  return encoding !== undefined && encoding.toLowerCase() !== 'identity';
}

function credentialsOf(request: FastifyRequest): Credentials {
  const { headers, ip, raw } = request;
  const csrfToken = headers[CSRF_HEADER];
  return {
    sessionToken: cookieTokenOf(headers.cookie, SESSION_COOKIE),
    csrfToken: typeof csrfToken === 'string' ? csrfToken : null,
    key: bearerOf(headers.authorization),
    certificate: isBrowser(headers) ? null : certificateOf(raw.socket as TLSSocket),
    address: ip,
  };
}

/** A browser shows a certificate for whichever page makes it ask, as it sends cookies along: they are for programs. */
function isBrowser(headers: IncomingHttpHeaders): boolean {
  return headers['sec-fetch-site'] !== undefined || headers.origin !== undefined;
}

const certificates = new WeakMap<TLSSocket, ClientCertificate | null>();

/** Read once a connection. */
function certificateOf(socket: TLSSocket): ClientCertificate | null {
  if (socket.authorized !== true) return null;
  const known = certificates.get(socket);
  if (known !== undefined) return known;
  const certificate = readClientCertificate(socket.authorized, socket.getPeerCertificate());
  certificates.set(socket, certificate);
  return certificate;
}

function answerProblem(error: unknown, request: FastifyRequest, reply: FastifyReply, logger: Logger): void {
  const known = problemOf(error);
  if (known === null) {
    const { name, message, stack } = error as Error;
    logger.error({ requestId: request.id, method: request.method, name, message, stack }, 'a request failed');
  }
  const problem =
    known ??
    new Problem(500, 'OUR_MISTAKE', 'Something failed that should not have. It is in the logs, by its instance');
  const { status, headers } = problem;
  reply
    .code(status)
    .headers({ ...headers, 'cache-control': 'no-store', 'content-type': 'application/problem+json; charset=utf-8' })
    .send(JSON.stringify(problemBody(problem, request.id)));
}

/** Node looks for those that are too slow every half minute, unless it is told otherwise. */
function timesOf({ headerBytes, headersMs, requestMs }: AppLimits) {
  const connectionsCheckingInterval = Math.max(100, Math.min(MOST_CHECKING_MS, headersMs / 2, requestMs / 2));
  return { maxHeaderSize: headerBytes, headersTimeout: headersMs, connectionsCheckingInterval };
}

function tlsOptionsOf({ key, cert, clientAuthorities }: AppTls, limits: AppLimits) {
  return {
    ...{ key, cert, minVersion: 'TLSv1.2' as const, honorCipherOrder: true },
    ...{ ...timesOf(limits), handshakeTimeout: limits.headersMs },
    // Who shows no certificate may still have a key or a session.
    ...(clientAuthorities !== null && { ca: clientAuthorities, requestCert: true, rejectUnauthorized: false }),
  };
}

/**
 * Nothing is loaded from elsewhere, nothing is framed, nothing is guessed (OWASP Secure Headers Project). Constants: a
 * library that makes them anew for each answer took a thirtieth of the service's time.
 */
const SECURITY_HEADERS = {
  'content-security-policy': [
    ...["default-src 'none'", "script-src 'self'", "style-src 'self'", "img-src 'self' data:", "font-src 'self'"],
    ...["connect-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'"],
  ].join('; '),
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'referrer-policy': 'no-referrer',
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
};
