// `lists`: who or what is blocked, trusted or watched; names of politically exposed and sanctioned people.
import { readListFile } from '../adapters/files/lists/read-list.ts';
import { LIST_FORMATS, type ListFormat } from '../domain/list-formats.ts';
import { InputError } from '../lib/errors.ts';
import { createKeptList, type ListEntry, type ListPurpose, PURPOSES } from '../lists/kept-list.ts';
import { NAME_THRESHOLD } from '../lists/standard-lists.ts';
import { importedFile, type ListState } from '../registry/list-book-state.ts';
import { limaTimestamp } from '../report/lima-time.ts';
import { type Command, type CommandContext, type OptionValues, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';
import { ACT_OPTIONS, actOf, listBookOf, REGISTRY_OPTION, untilOf, wanted } from './rule-options.ts';

type Action = (words: readonly string[], options: OptionValues, context: CommandContext) => Promise<void>;

const MAX_SHOWN = 100;
const ACTIONS: Readonly<Record<string, Action>> = { show, add, remove, import: importFile, define, find };

export const listsCommand: Command = {
  ...OUTLINES.lists,
  options: {
    registry: REGISTRY_OPTION,
    ...ACT_OPTIONS,
    source: { type: 'text', help: 'add, import: who says so; the file when not given' },
    format: { type: 'text', help: 'import: recognised when not given', choices: LIST_FORMATS },
    replace: {
      type: 'flag',
      help: 'import of CSV: take off what the same source listed before; always so of OFAC, UN',
    },
    'weak-names': { type: 'flag', help: 'import: also the names that OFAC or the UN calls weak' },
    purpose: { type: 'text', help: 'define: what the list is for', choices: PURPOSES },
    match: { type: 'text', help: 'define: how values are compared', choices: ['exact', 'name'], default: 'exact' },
    threshold: {
      type: 'number',
      help: 'define: likeness from which a name is on the list',
      default: NAME_THRESHOLD,
      minimum: 0.5,
      maximum: 1,
    },
  },
  async run([action, ...words], options, context) {
    if (!Object.hasOwn(ACTIONS, action)) {
      throw new UsageError(`lists: there is no '${action}'; there are ${Object.keys(ACTIONS).join(', ')}`);
    }
    await ACTIONS[action](words, options, context);
  },
};

const inForceAt = (timeMs: number) => (entry: ListEntry) =>
  entry.fromMs <= timeMs && (entry.untilMs === null || entry.untilMs > timeMs);

async function show([name]: readonly string[], options: OptionValues, { out, nowMs }: CommandContext): Promise<void> {
  const lists = await listBookOf(options).lists();
  const now = nowMs();
  if (name === undefined) {
    const all = [...lists.values()].map(({ definition, entries }) => ({
      ...{ ...definition, entries: entries.filter(inForceAt(now)).length },
    }));
    if (options.json === true) out(`${JSON.stringify({ lists: all })}\n`);
    else
      for (const { name: own, purpose, match, entries } of all)
        out(`@${own}  ${purpose}  ${match}  ${entries} entries\n`);
    return;
  }
  const entries = listCalled(lists, name).entries.filter(inForceAt(now));
  if (options.json === true) {
    out(`${JSON.stringify({ list: name, entries })}\n`);
    return;
  }
  for (const { value, reason, source, untilMs } of entries.slice(0, MAX_SHOWN)) {
    out(`${value}  ${untilMs === null ? '' : `until ${limaTimestamp(untilMs)}  `}${reason} (${source})\n`);
  }
  const more = entries.length - MAX_SHOWN;
  if (more > 0) out(`… and ${more} more; --json gives all\n`);
  if (entries.length === 0) out(`Nothing is on @${name} now.\n`);
}

async function add(words: readonly string[], options: OptionValues, context: CommandContext): Promise<void> {
  const [list, value] = listAndValue('lists add', words);
  const act = actOf('lists add', options, context);
  const untilMs = untilOf('lists add', options, act.atMs);
  const source = (options.source as string | undefined) ?? act.by;
  await listBookOf(options).add(list, value, { source, untilMs }, act);
  tell(options, context, { list, added: value, untilMs }, `'${value}' is on @${list}\n`);
}

async function remove(words: readonly string[], options: OptionValues, context: CommandContext): Promise<void> {
  const [list, value] = listAndValue('lists remove', words);
  await listBookOf(options).remove(list, value, actOf('lists remove', options, context));
  tell(options, context, { list, removed: value }, `'${value}' is off @${list}\n`);
}

async function importFile(words: readonly string[], options: OptionValues, context: CommandContext): Promise<void> {
  const [list, path] = listAndValue('lists import', words, 'file');
  const act = actOf('lists import', options, context);
  const { format, rows, rejected, weakNames } = await readListFile(path, {
    format: (options.format ?? null) as ListFormat | null,
    withWeakNames: options['weak-names'] === true,
  });
  if (rows.length === 0) {
    const first = rejected[0] === undefined ? '' : ` (line ${rejected[0].line}: ${rejected[0].message})`;
    throw new InputError('LIST_EMPTY', `${path} has no row that can be used${first}`, 'Nothing was imported');
  }
  const source = (options.source as string | undefined) ?? path.split(/[\\/]/).at(-1)!;
  // Who is no longer published is no longer sanctioned.
  const replaces = options.replace === true || format !== 'csv';
  const why = act.why === '' ? `import of ${path}` : act.why;
  await listBookOf(options).importRows(
    { list, source, replaces, rows, file: importedFile(format, rejected, weakNames) },
    { ...act, why },
  );
  for (const { file, line, message } of rejected.slice(0, MAX_SHOWN)) context.log(`${file}:${line}: ${message}\n`);
  const more = rejected.length > MAX_SHOWN ? ` (the first ${MAX_SHOWN} are shown)` : '';
  const weak = weakNames === 0 ? '' : `; ${weakNames} weak names left out`;
  tell(
    options,
    context,
    { list, format, source, replaces, rows: rows.length, rejected, weakNames },
    `${rows.length} rows of ${path} are on @${list}; ${rejected.length} could not be used${more}${weak}\n`,
  );
}

async function define([name]: readonly string[], options: OptionValues, context: CommandContext): Promise<void> {
  const list = wanted('lists define', name, 'list');
  const { purpose, match, threshold } = options;
  if (purpose === undefined)
    throw new UsageError(`lists define: --purpose is missing; it is one of ${PURPOSES.join(', ')}`);
  const definition = {
    ...{ name: list, purpose: purpose as ListPurpose, match: match as 'exact' | 'name' },
    threshold: match === 'exact' ? 1 : (threshold as number),
  };
  await listBookOf(options).define(definition, actOf('lists define', options, context));
  tell(options, context, definition, `@${list} is there: ${purpose}, ${match}\n`);
}

async function find(words: readonly string[], options: OptionValues, context: CommandContext): Promise<void> {
  const [name, value] = listAndValue('lists find', words);
  const { definition, entries } = listCalled(await listBookOf(options).lists(), name);
  const match = createKeptList(definition, entries).find(value, context.nowMs());
  const isOn = match !== null && match.similarity >= definition.threshold;
  tell(
    options,
    context,
    { list: name, value, isOn, match },
    match === null
      ? `Nothing on @${name} is like '${value}'.\n`
      : `${match.similarity.toFixed(3)}  ${match.entry.value}  ${match.entry.reason} (${match.entry.source})` +
          `${isOn ? '' : `; below ${definition.threshold}: not on the list`}\n`,
  );
}

function listCalled(lists: ReadonlyMap<string, ListState>, name: string): ListState {
  const found = lists.get(name);
  if (found !== undefined) return found;
  throw new InputError('LIST_UNKNOWN', `There is no list @${name}`, `There are ${[...lists.keys()].join(', ')}`);
}

function listAndValue(command: string, [list, value]: readonly string[], noun = 'value'): readonly [string, string] {
  return [wanted(command, list, 'list'), wanted(command, value, noun)];
}

function tell(options: OptionValues, { out }: CommandContext, object: unknown, text: string): void {
  out(options.json === true ? `${JSON.stringify(object)}\n` : text);
}
