// Sanctions lists in XML: OFAC's SDN list in its standard form (sdn.xml) and in the advanced one of the UN's model
// (sdn_advanced.xml), and the consolidated list of the UN Security Council (consolidated.xml).
//
// Names that the publisher itself calls weak or of low quality match too many people; they are left out unless asked for
// (OFAC's FAQ 122).
import { InputError } from '../../../lib/errors.ts';
import type { ListFile, ListRow, RejectedListRow } from '../../../ports.ts';
import type { ByteSource } from '../byte-source.ts';
import { childrenCalled, descendantsCalled, readXmlRecords, textOf, type XmlElement } from './xml-records.ts';

interface ListedName {
  readonly name: string;
  readonly reason: string;
  readonly isWeak: boolean;
}

const READERS: Readonly<Record<string, (record: XmlElement) => ListedName[]>> = {
  sdnEntry: namesOfSdnEntry,
  DistinctParty: namesOfDistinctParty,
  INDIVIDUAL: (record) => namesOfUn(record, 'INDIVIDUAL_ALIAS'),
  ENTITY: (record) => namesOfUn(record, 'ENTITY_ALIAS'),
};
const ROOTS: ReadonlySet<string> = new Set(['sdnList', 'Sanctions', 'CONSOLIDATED_LIST']);
const MAX_VALUE = 500;

/** @param withWeak take weak names too */
export async function readXmlList(source: ByteSource, withWeak: boolean): Promise<ListFile> {
  const { path } = source;
  const rows = new Map<string, ListRow>();
  const rejected: RejectedListRow[] = [];
  let weakNames = 0;
  const root = await readXmlRecords(
    source,
    (name) => Object.hasOwn(READERS, name),
    (record) => {
      const names = READERS[record.name](record);
      if (names.length === 0) rejected.push({ file: path, line: record.line, message: `<${record.name}> has no name` });
      for (const { name, reason, isWeak } of names) {
        if (isWeak && !withWeak) weakNames += 1;
        else if (name.length > MAX_VALUE) {
          rejected.push({
            file: path,
            line: record.line,
            message: `a name has ${name.length} characters, the limit is ${MAX_VALUE}`,
          });
        } else if (!rows.has(name)) rows.set(name, { value: name, reason, fromMs: null, untilMs: null });
      }
    },
  );
  if (!ROOTS.has(root)) {
    throw new InputError(
      'LIST_FORMAT_UNKNOWN',
      `${path} begins with <${root}>`,
      `Sanctions lists of OFAC and the UN are read: ${[...ROOTS].map((name) => `<${name}>`).join(', ')}`,
    );
  }
  return { rows: [...rows.values()], rejected, weakNames };
}

const joined = (...parts: readonly string[]) => parts.filter((part) => part !== '').join(' ');
const named = (names: readonly ListedName[]) => names.filter(({ name }) => name !== '');

function namesOfSdnEntry(record: XmlElement): ListedName[] {
  const programs = [...descendantsCalled(record, 'program')].map(({ text }) => text.trim());
  const reason = joined(`OFAC ${textOf(record, 'uid')}`, programs.length > 0 ? `[${programs.join('] [')}]` : '');
  const nameOf = (element: XmlElement) => joined(textOf(element, 'firstName'), textOf(element, 'lastName'));
  const others = [...descendantsCalled(record, 'aka')].map((aka) => ({
    name: nameOf(aka),
    reason: joined(reason, textOf(aka, 'type')),
    isWeak: textOf(aka, 'category') === 'weak',
  }));
  return named([{ name: nameOf(record), reason, isWeak: false }, ...others]);
}

function namesOfDistinctParty(record: XmlElement): ListedName[] {
  const reason = `OFAC ${record.attributes.FixedRef ?? ''}`;
  const names = [...descendantsCalled(record, 'Alias')].flatMap((alias) =>
    childrenCalled(alias, 'DocumentedName').map((documented) => ({
      name: joined(...[...descendantsCalled(documented, 'NamePartValue')].map(({ text }) => text.trim())),
      reason: alias.attributes.Primary === 'true' ? reason : `${reason} a.k.a.`,
      isWeak: alias.attributes.LowQuality === 'true',
    })),
  );
  return named(names);
}

function namesOfUn(record: XmlElement, alias: string): ListedName[] {
  const reason = joined(`ONU ${textOf(record, 'REFERENCE_NUMBER')}`, `[${textOf(record, 'UN_LIST_TYPE')}]`);
  const parts = ['FIRST_NAME', 'SECOND_NAME', 'THIRD_NAME', 'FOURTH_NAME'].map((name) => textOf(record, name));
  const others = childrenCalled(record, alias).flatMap((element) =>
    textOf(element, 'ALIAS_NAME')
      .split(';')
      .map((name) => ({
        name: name.trim(),
        reason: `${reason} a.k.a.`,
        isWeak: textOf(element, 'QUALITY').toLowerCase() === 'low',
      })),
  );
  return named([{ name: joined(...parts), reason, isWeak: false }, ...others]);
}
