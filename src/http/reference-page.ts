// The contract as a page to read: every endpoint with who may call it, what it takes and what it answers. No script, no
// request to anywhere.
import { type Html, html } from '../report/html.ts';
import { ENDPOINTS, type EndpointSpec, TAGS, type Texts } from './contract.ts';
import { openApiPath } from './openapi.ts';

type Language = 'es' | 'en';

const WORDS = {
  title: { es: 'Centinela: referencia de la interfaz', en: 'Centinela: interface reference' },
  access: { es: 'Permiso', en: 'Permission' },
  anyone: { es: 'cualquiera', en: 'anyone' },
  'signed-in': { es: 'quien haya ingresado', en: 'whoever is known' },
  params: { es: 'En la ruta', en: 'In the path' },
  query: { es: 'En la consulta', en: 'In the query' },
  body: { es: 'Cuerpo', en: 'Body' },
  answer: { es: 'Respuesta', en: 'Answer' },
  none: { es: 'sin contenido', en: 'nothing' },
  document: { es: 'Contrato en OpenAPI 3.1', en: 'The contract in OpenAPI 3.1' },
  once: {
    es: 'Con la cabecera Idempotency-Key se hace una sola vez.',
    en: 'With the header Idempotency-Key it is done once.',
  },
  match: {
    es: 'Exige If-Match con el ETag que se vio.',
    en: 'Needs If-Match with the ETag that was seen.',
  },
  optional: { es: 'opcional', en: 'optional' },
} as const satisfies Readonly<Record<string, Texts>>;

interface Node {
  readonly type?: string;
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Node>>;
  readonly required?: readonly string[];
  readonly items?: Node;
  readonly anyOf?: readonly Node[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
  readonly pattern?: string;
}

const DEEPEST = 6;

export function referencePage(version: string, language: Language): string {
  const say: Say = (word) => WORDS[word][language];
  const endpoints = Object.entries(ENDPOINTS) as [string, EndpointSpec][];
  const used = Object.entries(TAGS).filter(([tag]) => endpoints.some(([, spec]) => spec.tag === tag));
  const sections = used.map(([tag, texts]) => {
    const own = endpoints.filter(([, spec]) => spec.tag === tag);
    return html`<h2 id="${tag}">${texts[language]}</h2>${own.map(([name, spec]) => endpointHtml(name, spec, language, say))}`;
  });
  const other = language === 'es' ? 'en' : 'es';
  const page = html`<!doctype html><html lang="${language}"><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>${say('title')}</title>
<h1>${say('title')} <small>${version}</small></h1>
<p><a href="/v1/openapi.json">${say('document')}</a> · <a href="/docs?lang=${other}">${other === 'en' ? 'English' : 'Español'}</a></p>
<nav>${used.map(([tag, texts]) => html`<a href="#${tag}">${texts[language]}</a> `)}</nav>${sections}</html>`;
  return page.markup;
}

type Say = (word: keyof typeof WORDS) => string;

function endpointHtml(name: string, spec: EndpointSpec, language: Language, say: Say): Html {
  const { method, path, access, summary, params, query, body, answer, does, versioned } = spec;
  const who = access === 'anyone' || access === 'signed-in' ? html`${say(access)}` : html`<code>${access}</code>`;
  const part = (word: 'params' | 'query' | 'body' | 'answer', schema: unknown): Html | null => {
    if (schema === undefined) return null;
    return html`<dt>${say(word)}</dt><dd>${schema === null ? say('none') : nodeHtml(schema as Node, 0, say)}</dd>`;
  };
  return html`<section id="${name}"><h3><code>${method} ${openApiPath(path)}</code></h3><p>${summary[language]}.
${does === 'change' ? say('once') : ''} ${versioned === true && method !== 'GET' ? say('match') : ''}</p>
<dl><dt>${say('access')}</dt><dd>${who}</dd>${part('params', params)}${part('query', query)}${part('body', body)}${part('answer', answer)}</dl></section>`;
}

function nodeHtml(node: Node, depth: number, say: Say): Html {
  const { properties, items, anyOf, description } = node;
  const about = description === undefined ? null : html` <span>${description}</span>`;
  if (depth > DEEPEST) return html`…${about}`;
  if (properties !== undefined) {
    const rows = Object.entries(properties).map(([name, field]) => {
      const mark = (node.required ?? []).includes(name) ? null : html` <i>(${say('optional')})</i>`;
      return html`<li><code>${name}</code>${mark}: ${nodeHtml(field, depth + 1, say)}</li>`;
    });
    return html`${about}<ul>${rows}</ul>`;
  }
  if (items !== undefined) return html`[ ${nodeHtml(items, depth + 1, say)} ]${about}`;
  if (anyOf !== undefined) {
    return html`${anyOf.map((each, index) => html`${index === 0 ? '' : ' | '}${nodeHtml(each, depth + 1, say)}`)}${about}`;
  }
  return html`${kindOf(node)}${about}`;
}

function kindOf({ type = 'any', enum: values, const: value, minimum, maximum, maxLength, pattern }: Node): string {
  if (values !== undefined) return values.map((each) => JSON.stringify(each)).join(' | ');
  if (value !== undefined) return JSON.stringify(value);
  const limits = [
    minimum === undefined ? '' : `≥ ${minimum}`,
    maximum === undefined ? '' : `≤ ${maximum}`,
    maxLength === undefined ? '' : `≤ ${maxLength}`,
    pattern === undefined ? '' : pattern,
  ].filter((limit) => limit !== '');
  return limits.length === 0 ? type : `${type} (${limits.join(', ')})`;
}
