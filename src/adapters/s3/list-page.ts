// One page of a bucket's list, as ListObjectsV2 answers with `encoding-type=url`.
import sax from 'sax';

export interface ListPage {
  readonly keys: readonly string[];
  /** Asked for the next page; null where this is the last. */
  readonly next: string | null;
}

/** @throws Error where it is no XML */
export function readListPage(xml: string): ListPage {
  const keys: string[] = [];
  let next: string | null = null;
  const path: string[] = [];
  let text = '';
  const parser = sax.parser(true, {});
  parser.onopentag = ({ name }) => {
    path.push(name);
    text = '';
  };
  parser.ontext = (more) => {
    text += more;
  };
  parser.onclosetag = () => {
    const place = path.join('/');
    if (place === 'ListBucketResult/Contents/Key') keys.push(decoded(text));
    if (place === 'ListBucketResult/NextContinuationToken') next = text;
    path.pop();
  };
  parser.onerror = (error) => {
    throw error;
  };
  parser.write(xml).close();
  return { keys, next };
}

function decoded(key: string): string {
  return decodeURIComponent(key.replaceAll('+', ' '));
}
