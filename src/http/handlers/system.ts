// Whether the service lives, and how to speak with it.
import type { Handlers } from '../asked.ts';
import { openApiDocument } from '../openapi.ts';
import { Problem } from '../problem.ts';
import { referencePage } from '../reference-page.ts';

export interface SystemServices {
  isAlive(): boolean;
  isReady(): boolean;
  readonly version: string;
}

export function systemHandlers({
  isAlive,
  isReady,
  version,
}: SystemServices): Pick<Handlers, 'health' | 'readiness' | 'openApi' | 'reference'> {
  const document = openApiDocument(version);
  const pages = { es: referencePage(version, 'es'), en: referencePage(version, 'en') };
  return {
    async health() {
      if (!isAlive()) throw new Problem(503, 'STUCK', 'The process answers, but its work stands still');
      return { body: { status: 'ok' } };
    },
    async readiness() {
      if (!isReady()) throw new Problem(503, 'NOT_READY', 'It is starting or stopping. Ask again');
      return { body: { status: 'ready' } };
    },
    openApi: async () => ({ body: document }),
    reference: async ({ query, header }) => ({
      body: pages[query.lang ?? ((header('accept-language') ?? 'es').startsWith('en') ? 'en' : 'es')],
    }),
  };
}
