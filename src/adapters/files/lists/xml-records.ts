// The repeated elements of a large XML file, one at a time, each as a small tree.
//
// Read as a stream: the consolidated lists have up to 100 MB. A document type is refused, so there are no entities to
// expand (CWE-776) and nothing outside the file to fetch (CWE-611); depth, size and number of nodes are limited.
import sax from 'sax';
import { InputError } from '../../../lib/errors.ts';
import type { ByteSource } from '../byte-source.ts';

export interface XmlElement {
  readonly name: string;
  readonly line: number;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: readonly XmlElement[];
  readonly text: string;
}

interface OpenElement extends XmlElement {
  readonly children: XmlElement[];
  text: string;
}

const MAX_BYTES = 2_000_000_000;
const MAX_DEPTH = 64;
/** Of one record. */
const MAX_NODES = 50_000;
const MAX_TEXT = 1_000_000;

/**
 * @param isRecord which elements to hand over, given their name; elements outside them are passed over
 * @returns the name of the file's root
 */
export async function readXmlRecords(
  source: ByteSource,
  isRecord: (name: string) => boolean,
  onRecord: (record: XmlElement) => void,
): Promise<string> {
  const { path } = source;
  if (source.bytesTotal > MAX_BYTES) {
    throw new InputError('FILE_TOO_LARGE', `${path} has ${source.bytesTotal} bytes`, `At most ${MAX_BYTES} are read`);
  }
  const parser = sax.parser(true);
  const open: OpenElement[] = [];
  let root = '';
  let depth = 0;
  let nodes = 0;
  let characters = 0;
  const fail = (what: string): never => {
    throw new InputError('XML_INVALID', `${path}:${parser.line + 1}: ${what}`, 'Download the file again');
  };
  parser.onerror = (error) => fail(error.message.split('\n')[0]);
  parser.ondoctype = () => fail('it has a document type (<!DOCTYPE>), which such lists do not');
  parser.onopentag = ({ name, attributes }) => {
    depth += 1;
    root ||= name;
    if (depth > MAX_DEPTH) fail(`elements are nested deeper than ${MAX_DEPTH}`);
    if (open.length === 0 && !isRecord(name)) return;
    if (open.length === 0) nodes = characters = 0;
    if (++nodes > MAX_NODES) fail(`one entry has more than ${MAX_NODES} elements`);
    const element: OpenElement = {
      ...{ name, line: parser.line + 1, attributes: attributes as Record<string, string>, children: [], text: '' },
    };
    open.at(-1)?.children.push(element);
    open.push(element);
  };
  const addText = (text: string) => {
    const element = open.at(-1);
    if (element === undefined) return;
    characters += text.length;
    if (characters > MAX_TEXT) fail(`one entry has more than ${MAX_TEXT} characters`);
    element.text += text;
  };
  parser.ontext = addText;
  parser.oncdata = addText;
  parser.onclosetag = () => {
    depth -= 1;
    const closed = open.pop();
    if (closed !== undefined && open.length === 0) onRecord(closed);
  };
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const decode = (chunk?: Uint8Array) => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      return fail('it is not UTF-8');
    }
  };
  for await (const chunk of source.chunks()) parser.write(decode(chunk));
  parser.write(decode());
  parser.close();
  return root;
}

/** All elements of the name right below. */
export function childrenCalled({ children }: XmlElement, name: string): readonly XmlElement[] {
  return children.filter((child) => child.name === name);
}

/** The text of the first element of the name right below, without blanks at its ends; empty where there is none. */
export function textOf(element: XmlElement, name: string): string {
  return element.children.find((child) => child.name === name)?.text.trim() ?? '';
}

/** All elements of the name anywhere below. */
export function* descendantsCalled(element: XmlElement, name: string): Generator<XmlElement> {
  for (const child of element.children) {
    if (child.name === name) yield child;
    yield* descendantsCalled(child, name);
  }
}
