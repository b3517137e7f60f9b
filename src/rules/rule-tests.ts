// Tests that live beside the rules (`*.test.yaml`): what is given, which rules fire and which do not.
//
//   tests:
//     - name: A new payee and much money
//       given: { amount: 5000, operation: transfer, pair_is_new: true, payee_age: 2h }
//       fires: [new-payee-high-amount]
//       quiet: [mule-account]
//
// What is not given is missing. `fires` lists all that must fire, `quiet` those that must not; with `only: true` no other may.
import { isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type YAMLMap } from 'yaml';
import { describeType, type RuleName, type RuleVocabulary, type ValueType } from './names.ts';
import { placeIn, tooDeepAt } from './nesting.ts';
import { pointerTo } from './pointers.ts';
import { type ProblemCode, suggestion } from './problem.ts';
import type { PlacedProblem } from './read-rules.ts';
import type { RuleSet } from './rule-set.ts';
import { tokenize } from './tokens.ts';

type GivenValue = number | string | boolean | readonly string[];

/** Values by name; what is not there is missing. `lists` tells which values are on which list. */
export interface TestInput {
  readonly values: ReadonlyMap<string, GivenValue>;
  readonly lists: ReadonlyMap<string, ReadonlySet<string>>;
  readonly fired: Uint8Array;
}

export interface RuleTest {
  readonly name: string;
  /** Of its beginning, from 1. */
  readonly line: number;
  readonly column: number;
  /** JSON Pointer. */
  readonly path: string;
  readonly input: Omit<TestInput, 'fired'>;
  readonly fires: readonly string[];
  readonly quiet: readonly string[];
  readonly only: boolean;
}

export interface RuleTestFailure {
  readonly test: RuleTest;
  readonly message: string;
}

const TEST_KEYS = ['name', 'given', 'lists', 'fires', 'quiet', 'only'];
const EXAMPLES: Readonly<Record<ValueType['kind'], string>> = {
  number: 'Write a number; durations as 5min, 24h, percentages as 80%',
  text: 'Write a text',
  boolean: 'Write true or false',
  texts: 'Write [a, b]',
};
/** Of a list that is asked how like a name is: written-out names are wholly alike. */
const SAME = 1;
/** What a test puts on a list has no place there. */
const NOWHERE = -1;

/** The same names with the same types, read from what a test gives. */
export function testVocabulary<Input>(vocabulary: RuleVocabulary<Input>): RuleVocabulary<TestInput> {
  const names = [...vocabulary.names.values()].map((name) => [name.name, givenName(name)] as const);
  const lists = [...vocabulary.lists.values()].map(({ name, cost }) => {
    const has = (value: string, { lists: given }: TestInput) => given.get(name)?.has(value) ?? false;
    const similarity = (value: string, input: TestInput) => (has(value, input) ? SAME : 0);
    return [name, { name, cost, has, similarity, placeOf: () => NOWHERE }] as const;
  });
  return { names: new Map(names), lists: new Map(lists), fired: ({ fired }, rule) => fired[rule] === 1 };
}

function givenName<Input>(name: RuleName<Input>): RuleName<TestInput> {
  const { name: key } = name;
  switch (name.type.kind) {
    case 'number':
      return { ...name, type: name.type, read: ({ values }) => (values.get(key) as number | undefined) ?? Number.NaN };
    case 'text':
      return { ...name, type: name.type, read: ({ values }) => (values.get(key) as string | undefined) ?? null };
    case 'boolean':
      return { ...name, type: name.type, read: ({ values }) => (values.get(key) as boolean | undefined) ?? null };
    case 'texts':
      return {
        ...name,
        type: name.type,
        read: ({ values }) => (values.get(key) as readonly string[] | undefined) ?? [],
      };
  }
}

/** @param set compiled with the `testVocabulary` */
export function runRuleTests(tests: readonly RuleTest[], set: RuleSet<TestInput>, timeMs: number): RuleTestFailure[] {
  const failures: RuleTestFailure[] = [];
  for (const test of tests) {
    const fired = new Uint8Array(set.rules.length);
    set.evaluate({ ...test.input, fired }, timeMs, fired);
    const ids = set.rules.filter((_, index) => fired[index] === 1).map(({ id }) => id);
    const missing = test.fires.filter((id) => !ids.includes(id));
    const loud = ids.filter((id) => test.quiet.includes(id) || (test.only && !test.fires.includes(id)));
    if (missing.length > 0) failures.push({ test, message: `did not fire: ${missing.join(', ')}` });
    if (loud.length > 0) failures.push({ test, message: `fired: ${loud.join(', ')}` });
  }
  return failures;
}

/** @param file how problems call it */
export function readRuleTests<Input>(
  text: string,
  file: string,
  vocabulary: RuleVocabulary<Input>,
  ruleIds: ReadonlySet<string>,
): { readonly tests: readonly RuleTest[]; readonly problems: readonly PlacedProblem[] } {
  const deepAt = tooDeepAt(text);
  if (deepAt !== null) {
    const hint = 'A test needs no more than a list in a map';
    const message = 'lists and maps are nested too deep';
    const problem = { file, code: 'LIMIT_EXCEEDED', ...placeIn(text, deepAt), path: '', message, hint } as const;
    return { tests: [], problems: [problem] };
  }
  const lines = new LineCounter();
  const problems: PlacedProblem[] = [];
  const document = parseDocument(text, {
    // Comparing each key with every other takes minutes for a large map.
    ...{ lineCounter: lines, prettyErrors: false, logLevel: 'silent', uniqueKeys: false },
  });
  const tell = (code: ProblemCode, node: unknown, message: string, hint: string): void => {
    const { line, col } = lines.linePos(typeof node === 'number' ? node : ((node as Node | null)?.range?.[0] ?? 0));
    const path = pointerTo(document.contents, node);
    problems.push({ file, code, line: Math.max(1, line), column: Math.max(1, col), path, message, hint });
  };
  for (const error of document.errors)
    tell('YAML_INVALID', error.pos[0], error.message.split('\n')[0], 'Correct the YAML');
  const root = document.contents;
  const list = isMap(root) ? root.get('tests', true) : null;
  if (document.errors.length > 0) return { tests: [], problems };
  if (!isSeq(list)) {
    tell('SHAPE_INVALID', root, 'a list of tests is expected', 'Write tests: and below it one test per -');
    return { tests: [], problems };
  }
  const tests = list.items.map((item) =>
    isMap(item) ? readTest(item) : tell('SHAPE_INVALID', item, 'a test is a map', TEST_KEYS.join(', ')),
  );
  return { tests: tests.filter((test) => test !== undefined), problems };

  function readTest(map: YAMLMap): RuleTest {
    for (const pair of map.items) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      if (!TEST_KEYS.includes(key))
        tell('KEY_UNKNOWN', pair.key, `'${key}' is no key of a test`, suggestion(key, TEST_KEYS, TEST_KEYS.join(', ')));
    }
    const name = map.get('name');
    if (typeof name !== 'string') tell('KEY_MISSING', map, "'name' is missing", 'Say what the test shows');
    const fires = ids(map, 'fires');
    const quiet = ids(map, 'quiet');
    if (fires.length + quiet.length === 0 && map.get('only') !== true) {
      tell('KEY_MISSING', map, 'the test expects nothing', 'Give fires, quiet or only: true');
    }
    const { line, col: column } = lines.linePos(map.range?.[0] ?? 0);
    const input = { values: given(map.get('given', true)), lists: givenLists(map.get('lists', true)) };
    const path = pointerTo(document.contents, map);
    return { name: String(name), line, column, path, input, fires, quiet, only: map.get('only') === true };
  }

  function ids(map: YAMLMap, key: string): string[] {
    const node = map.get(key, true);
    if (node === undefined) return [];
    if (!isSeq(node)) tell('SHAPE_INVALID', node, `'${key}' is no list`, `Write ${key}: [rule-id]`);
    const items = isSeq(node) ? node.items : [];
    return items.map((item) => {
      const id = isScalar(item) ? String(item.value) : '';
      if (!ruleIds.has(id))
        tell('RULE_UNKNOWN', item, `there is no rule '${id}'`, suggestion(id, ruleIds, 'Name a rule of the set'));
      return id;
    });
  }

  function given(node: unknown): Map<string, GivenValue> {
    const values = new Map<string, GivenValue>();
    if (node !== undefined && !isMap(node))
      tell('SHAPE_INVALID', node, "'given' is no map", 'Write given: { amount: 5000 }');
    for (const pair of isMap(node) ? node.items : []) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      const name = vocabulary.names.get(key);
      if (name === undefined) {
        tell(
          'NAME_UNKNOWN',
          pair.key,
          `there is no field, feature or score '${key}'`,
          suggestion(key, vocabulary.names.keys(), 'See centinela rules names'),
        );
        continue;
      }
      const value = givenValue(pair.value, name);
      if (value === null)
        tell('TYPE_MISMATCH', pair.value ?? pair.key, `${key} is ${describeType(name.type)}`, EXAMPLES[name.type.kind]);
      else values.set(key, value);
    }
    return values;
  }

  function givenLists(node: unknown): Map<string, Set<string>> {
    const given = new Map<string, Set<string>>();
    for (const pair of isMap(node) ? node.items : []) {
      const key = isScalar(pair.key) ? String(pair.key.value) : '';
      if (!vocabulary.lists.has(key))
        tell('LIST_UNKNOWN', pair.key, `there is no list @${key}`, suggestion(key, vocabulary.lists.keys(), ''));
      const items = isSeq(pair.value) ? pair.value.items : [];
      given.set(key, new Set(items.map((item) => (isScalar(item) ? String(item.value) : ''))));
    }
    return given;
  }
}

function givenValue<Input>(node: unknown, { type }: RuleName<Input>): GivenValue | null {
  if (type.kind === 'texts') {
    return isSeq(node) ? node.items.map((item) => (isScalar(item) ? String(item.value) : '')) : null;
  }
  if (!isScalar(node)) return null;
  const { value } = node;
  if (type.kind === 'boolean') return typeof value === 'boolean' ? value : null;
  if (type.kind === 'text') return value === null ? null : String(node.source ?? value);
  if (typeof value === 'number') return type.unit === 'duration' && value !== 0 ? null : value;
  const { tokens, problems } = tokenize(String(value));
  const [first, end] = tokens;
  if (problems.length > 0 || first.kind !== 'number' || end.kind !== 'end') return null;
  return first.unit === null || first.unit === type.unit ? first.value : null;
}
