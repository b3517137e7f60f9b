// What is asked of no endpoint: 404, or 405 with the methods that the path has (RFC 9110, 15.5.6).
import { ENDPOINTS, type EndpointSpec } from './contract.ts';
import { Problem } from './problem.ts';

const PATHS = new Map<string, { readonly matches: RegExp; readonly methods: Set<string> }>();
for (const { method, path } of Object.values(ENDPOINTS) as EndpointSpec[]) {
  const known = PATHS.get(path) ?? { matches: patternOf(path), methods: new Set<string>() };
  PATHS.set(path, known);
  known.methods.add(method);
}

export function noEndpoint(method: string, url: string): Problem {
  const [path] = url.split('?', 1);
  const methods = [...PATHS.values()].filter(({ matches }) => matches.test(path)).flatMap((each) => [...each.methods]);
  if (methods.length === 0) return new Problem(404, 'NO_ENDPOINT', `There is no ${method} of this path. See /docs`);
  const allow = [...new Set(methods)].sort().join(', ');
  return new Problem(405, 'METHOD', `This path has no ${method}. It has: ${allow}`, { allow });
}

/** `/v1/alerts/:id` as what it matches; `::` is a colon. */
function patternOf(path: string): RegExp {
  const parts = path.split(/(::|:[A-Za-z]+)/).map((part) => {
    if (part === '::') return ':';
    return part.startsWith(':') ? '[^/]+' : part.replace(/[.]/g, '\\.');
  });
  return new RegExp(`^${parts.join('')}$`);
}
