// Reads rules from YAML, or from JSON, which is YAML too: the whole file is checked, and every problem has its line and column.
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseDocument,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { parseLimaDay } from '../domain/calendar.ts';
import { joined, type PlacedCondition } from './join-conditions.ts';
import { RULE_KEYS } from './language-data.ts';
import { placeIn, tooDeepAt } from './nesting.ts';
import type { Expression } from './node.ts';
import { MAX_EXPRESSION_LENGTH, parseExpression } from './parse-expression.ts';
import { placesOf } from './places.ts';
import { pointerTo } from './pointers.ts';
import { type ProblemCode, suggestion } from './problem.ts';
import { ACTIONS, MODES, type Rule, SEVERITIES } from './rule.ts';

export interface Place {
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** JSON Pointer (RFC 6901) of the value in the document, `/rules/0/when/all/1`; of the map where a key is missing. */
  readonly path: string;
}

export interface PlacedProblem extends Place {
  readonly file: string;
  readonly code: ProblemCode;
  readonly message: string;
  readonly hint: string;
}

/** Where a rule stands, for problems that show only when the whole set is known. */
export interface RulePlace {
  readonly file: string;
  readonly line: number;
  /** Of the rule. */
  readonly path: string;
  /** @param offset characters of the rule's condition */
  place(offset: number): Place;
}

export interface PlacedRule extends RulePlace {
  readonly rule: Rule;
}

/** What could be read of a rule with problems: its condition is checked all the same, so that all is told at once. */
export interface UnfinishedRule extends RulePlace {
  readonly id: string;
  /** Without the parts that could not be read. */
  readonly when: Expression | null;
}

export interface ReadRules {
  readonly rules: readonly PlacedRule[];
  readonly unfinished: readonly UnfinishedRule[];
  readonly problems: readonly PlacedProblem[];
}

/** About 1,500 rules; more go into several files. */
const MAX_FILE_CHARACTERS = 500_000;
const MAX_RULES = 5000;
/** Conditions below one `all` or `any`. */
const MAX_OPERANDS = 1000;
/** Further problems of a file are not told. */
const MAX_PROBLEMS = 1000;
const MAX_TEXT = 500;
const MAX_NESTING = 32;

const KEYS = RULE_KEYS.map(({ key }) => key);
const ID = /^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/;
const TYPOLOGY = /^[FE]\d{2}$/;

/** @param file how problems call it @param reasons the codes that a rule may give */
export function readRules(text: string, file: string, reasons: ReadonlySet<string>): ReadRules {
  if (text.length > MAX_FILE_CHARACTERS) {
    const message = `the file has ${text.length} characters, the limit is ${MAX_FILE_CHARACTERS}`;
    return {
      rules: [],
      unfinished: [],
      problems: [
        { file, code: 'LIMIT_EXCEEDED', line: 1, column: 1, path: '', message, hint: 'Split it into several files' },
      ],
    };
  }
  return new Reader(text, file, reasons).read();
}

class Reader {
  readonly #text: string;
  readonly #file: string;
  readonly #reasons: ReadonlySet<string>;
  readonly #lines = new LineCounter();
  readonly #problems: PlacedProblem[] = [];
  #root: unknown = null;
  #told = 0;
  readonly #unfinished: UnfinishedRule[] = [];

  constructor(text: string, file: string, reasons: ReadonlySet<string>) {
    this.#text = text;
    this.#file = file;
    this.#reasons = reasons;
  }

  read(): ReadRules {
    const deepAt = tooDeepAt(this.#text);
    if (deepAt !== null) {
      const { line, column } = placeIn(this.#text, deepAt);
      const message = 'lists and maps are nested too deep';
      return {
        rules: [],
        unfinished: [],
        problems: [
          { file: this.#file, code: 'LIMIT_EXCEEDED', line, column, path: '', message, hint: 'Split the rule' },
        ],
      };
    }
    const document = parseDocument(this.#text, {
      ...{ lineCounter: this.#lines, prettyErrors: false, logLevel: 'silent' },
      // Compares each key with every other: a large map would take minutes. Rules' keys are looked at below.
      uniqueKeys: false,
    });
    for (const error of document.errors)
      this.#tell('YAML_INVALID', error.pos[0], error.message.split('\n')[0], 'Correct the YAML');
    if (document.errors.length > 0) return { rules: [], unfinished: [], problems: this.#problems };
    const root = document.contents;
    this.#root = root;
    const list = isMap(root) ? root.get('rules', true) : root;
    if (isMap(root)) {
      for (const pair of root.items) {
        if (keyOf(pair) !== 'rules')
          this.#tell('KEY_UNKNOWN', pair.key, `'${keyOf(pair)}' is no key here`, 'Only rules: is');
      }
    }
    if (!isSeq(list)) {
      this.#tell(
        'SHAPE_INVALID',
        list ?? root,
        'a list of rules is expected',
        'Write rules: and below it one rule per -',
      );
      return { rules: [], unfinished: [], problems: this.#problems };
    }
    if (list.items.length > MAX_RULES) {
      this.#tell(
        'LIMIT_EXCEEDED',
        list,
        `there are ${list.items.length} rules, the limit is ${MAX_RULES}`,
        'Split the file',
      );
      return { rules: [], unfinished: [], problems: this.#problems };
    }
    const rules = list.items.map((item) => this.#rule(item as Node)).filter((rule) => rule !== null);
    return { rules, unfinished: this.#unfinished, problems: this.#problems };
  }

  /** @param at a node, or a character of the file */
  #tell(code: ProblemCode, at: unknown, message: string, hint: string): null {
    this.#told++;
    if (this.#problems.length >= MAX_PROBLEMS) return null;
    this.#problems.push({ file: this.#file, code, ...this.#placeAt(at), message, hint });
    return null;
  }

  #placeAt(at: unknown): Place {
    const { line, col } = this.#lines.linePos(typeof at === 'number' ? at : offsetOf(at));
    return { line: Math.max(1, line), column: Math.max(1, col), path: pointerTo(this.#root, at) };
  }

  #rule(node: Node): PlacedRule | null {
    if (!isMap(node))
      return this.#tell('SHAPE_INVALID', node, 'a rule is a map of settings', `Its keys: ${KEYS.join(', ')}`);
    const before = this.#told;
    const seen = new Set<string>();
    for (const pair of node.items) {
      const key = keyOf(pair);
      if (seen.has(key)) this.#tell('KEY_REPEATED', pair.key, `'${key}' stands twice`, 'Keep one of them');
      seen.add(key);
      if (!KEYS.includes(key)) {
        this.#tell(
          'KEY_UNKNOWN',
          pair.key,
          `'${key}' is no key of a rule`,
          suggestion(key, KEYS, `Keys: ${KEYS.join(', ')}`),
        );
      }
    }
    const id = this.#id(node);
    const version = this.#version(node);
    const name = this.#bilingual(node);
    const owner = this.#line(node, 'owner', true);
    const severity = this.#choice(node, 'severity', SEVERITIES);
    const action = this.#choice(node, 'action', ACTIONS);
    const mode = node.has('mode') ? this.#choice(node, 'mode', MODES) : 'live';
    const reason = this.#reason(node);
    const fromMs = this.#day(node, 'from');
    const untilMs = this.#day(node, 'until');
    if (fromMs !== null && untilMs !== null && fromMs >= untilMs) {
      this.#tell('VALUE_INVALID', node.get('until', true), "'until' is not after 'from'", 'The rule would never count');
    }
    const typologies = this.#typologies(node);
    const notes = this.#line(node, 'notes', false);
    const when = node.get('when', true);
    if (when === undefined) this.#tell('KEY_MISSING', node, "'when' is missing", 'Write when: and the condition');
    const condition = when === undefined ? null : this.#condition(when as Node, 0);
    if (condition !== null && condition.source.length > MAX_EXPRESSION_LENGTH) {
      const message = `the condition has ${condition.source.length} characters, the limit is ${MAX_EXPRESSION_LENGTH}`;
      this.#tell('LIMIT_EXCEEDED', when, message, 'Split it into several rules, or use a list');
    }
    const { line, path } = this.#placeAt(node);
    const place = (offset: number) => this.#placeAt(condition?.placeOffset(offset) ?? node);
    if (this.#told > before || condition === null) {
      const idNode = node.get('id', true);
      const shown = isScalar(idNode) ? String(idNode.value) : '?';
      this.#unfinished.push({ id: shown, when: condition?.expression ?? null, file: this.#file, place, line, path });
      return null;
    }
    const rule: Rule = {
      ...{ id: id!, version: version!, name: name!, owner: owner!, severity: severity!, action: action! },
      ...{ mode: mode!, reason: reason!, fromMs, untilMs, typologies, notes },
      ...{ when: condition.expression, source: condition.source },
    };
    return { rule, file: this.#file, place, line, path };
  }

  #scalar(map: YAMLMap, key: string, required: boolean): Scalar | null {
    const node = map.get(key, true) as Node | undefined;
    if (node === undefined || (isScalar(node) && node.value === null)) {
      return required ? this.#tell('KEY_MISSING', map, `'${key}' is missing`, `Write ${key}: …`) : null;
    }
    if (isScalar(node)) return node;
    const what = isAlias(node) ? 'a reference' : 'a list or map';
    return this.#tell('SHAPE_INVALID', node, `'${key}' is ${what}`, 'Write the value out');
  }

  #line(map: YAMLMap, key: string, required: boolean): string | null {
    const node = this.#scalar(map, key, required);
    if (node === null) return null;
    const text = String(node.value).trim();
    if (text === '' || text.length > MAX_TEXT) {
      return this.#tell(
        'VALUE_INVALID',
        node,
        `'${key}' has ${text.length} characters`,
        `Between 1 and ${MAX_TEXT} are allowed`,
      );
    }
    return text;
  }

  #id(map: YAMLMap): string | null {
    const id = this.#line(map, 'id', true);
    if (id === null) return id;
    if (ID.test(id) && id.length <= 64) return id;
    return this.#tell(
      'VALUE_INVALID',
      map.get('id', true),
      `'${id}' is no id`,
      'Lower case words joined by -, at most 64 characters',
    );
  }

  #version(map: YAMLMap): number | null {
    const node = this.#scalar(map, 'version', true);
    if (node === null || (Number.isInteger(node.value) && (node.value as number) > 0)) return node?.value as number;
    return this.#tell(
      'VALUE_INVALID',
      node,
      `version '${String(node.value)}' is no whole number from 1`,
      'Begin with 1',
    );
  }

  #bilingual(map: YAMLMap): Rule['name'] | null {
    const node = map.get('name', true);
    if (!isMap(node)) {
      return this.#tell('SHAPE_INVALID', node ?? map, "'name' needs es and en", 'Write name: { es: …, en: … }');
    }
    const es = this.#line(node, 'es', true);
    const en = this.#line(node, 'en', true);
    return es === null || en === null ? null : { es, en };
  }

  #choice<T extends string>(map: YAMLMap, key: string, choices: readonly T[]): T | null {
    const text = this.#line(map, key, true);
    if (text === null || choices.includes(text as T)) return text as T | null;
    const hint = suggestion(text, choices, `It is one of ${choices.join(', ')}`);
    return this.#tell('VALUE_INVALID', map.get(key, true), `'${text}' is no ${key}`, hint);
  }

  #reason(map: YAMLMap): string | null {
    const reason = this.#line(map, 'reason', true);
    if (reason === null || this.#reasons.has(reason)) return reason;
    const hint = suggestion(reason, this.#reasons, 'centinela rules names lists the codes');
    return this.#tell('REASON_UNKNOWN', map.get('reason', true), `there is no reason code '${reason}'`, hint);
  }

  /** The beginning of the day in Lima. */
  #day(map: YAMLMap, key: string): number | null {
    const node = this.#scalar(map, key, false);
    if (node === null) return null;
    const dayMs = parseLimaDay(String(node.value));
    if (dayMs !== null) return dayMs;
    return this.#tell('VALUE_INVALID', node, `'${String(node.value)}' is no day`, 'Write YYYY-MM-DD');
  }

  #typologies(map: YAMLMap): string[] {
    const node = map.get('typologies', true) as Node | undefined;
    if (node === undefined) return [];
    if (!isSeq(node)) {
      this.#tell('SHAPE_INVALID', node, "'typologies' is no list", 'Write typologies: [F01, E03]');
      return [];
    }
    return node.items.flatMap((item) => {
      if (isScalar(item) && TYPOLOGY.test(String(item.value))) return [String(item.value)];
      this.#tell('VALUE_INVALID', item, 'a typology is F01–F20 or E01–E15', 'Write typologies: [F01, E03]');
      return [];
    });
  }

  #condition(node: Node, depth: number): PlacedCondition | null {
    if (depth > MAX_NESTING)
      return this.#tell('LIMIT_EXCEEDED', node, 'conditions are nested too deep', 'Split the rule');
    if (isScalar(node)) return this.#text_(node);
    const pair = isMap(node) && node.items.length === 1 ? node.items[0] : null;
    const word = pair === null ? '' : keyOf(pair);
    const hint = 'Write a condition as text, or all: [ … ], any: [ … ], not: …';
    if (pair === null || !['all', 'any', 'not'].includes(word)) {
      return this.#tell('SHAPE_INVALID', node, 'this is no condition', hint);
    }
    const value = pair.value as Node;
    if (word === 'not') {
      const operand = this.#condition(value, depth + 1);
      return operand === null ? null : joined('not', [operand]);
    }
    if (!isSeq(value) || value.items.length === 0) {
      return this.#tell('SHAPE_INVALID', value ?? node, `'${word}' needs a list of conditions`, hint);
    }
    if (value.items.length > MAX_OPERANDS) {
      const message = `'${word}' joins ${value.items.length} conditions, the limit is ${MAX_OPERANDS}`;
      return this.#tell('LIMIT_EXCEEDED', value, message, 'Split the rule, or use a list');
    }
    const operands = value.items.map((item) => this.#condition(item as Node, depth + 1));
    const sound = operands.filter((operand) => operand !== null);
    if (sound.length === 0) return null;
    return sound.length === 1 ? sound[0] : joined(word as 'all' | 'any', sound);
  }

  #text_(node: Scalar): PlacedCondition | null {
    if (typeof node.value !== 'string') {
      return this.#tell('SHAPE_INVALID', node, 'a condition is a text', 'Write for example amount > 3000');
    }
    const source = node.value;
    const placeOffset = placesOf(node, this.#text);
    const { expression, problems } = parseExpression(source);
    for (const { code, offset, message, hint } of problems) this.#tell(code, placeOffset(offset), message, hint);
    return expression === null ? null : { expression, source, placeOffset };
  }
}

function keyOf(pair: Pair): string {
  return isScalar(pair.key) ? String(pair.key.value) : '';
}

function offsetOf(node: unknown): number {
  return (node as Node | null)?.range?.[0] ?? 0;
}
