// Python pickles, read without ever running anything: the file can only build numbers, texts, containers, and what the
// caller's closed list makes.
//
// A pickle is a program for a stack machine, and Python's own reader lets it call any function there is. This interpreter
// knows the instructions that files of weights need; the others (INST, OBJ, NEWOBJ, EXT, buffers) are refused, a global
// must be on the caller's list, REDUCE calls only what is on it, and BUILD is allowed on a dict alone, whose attributes
// are thrown away. The npm package pickleparser takes a resolver too, but calls `new` on what it gives, copies a BUILD's
// attributes into any object (`__proto__` included), and has no limit on its stack or memo: too much to argue about.
// Instructions: Lib/pickletools.py of CPython.
import { InputError } from '../../lib/errors.ts';
import { isFunction, isTuple, type PickleKey, type PickleResolver, type PickleValue } from './pickle-values.ts';

const MAX_BYTES = 64 << 20;
/** Of the stack, the memo and the marks each. */
const MAX_ENTRIES = 1 << 20;
const MAX_PROTOCOL = 5;

interface Machine {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  at: number;
  readonly stack: PickleValue[];
  readonly marks: number[];
  readonly memo: Map<number, PickleValue>;
  readonly resolver: PickleResolver;
}

/** @throws InputError if the pickle is damaged, too large, or asks for anything that is not on the resolver's lists. */
export function readPickle(bytes: Uint8Array, resolver: PickleResolver): PickleValue {
  if (bytes.length > MAX_BYTES) throw refused(`is ${bytes.length} bytes long; the limit is ${MAX_BYTES}`);
  const machine: Machine = {
    bytes,
    view: new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength),
    at: 0,
    stack: [],
    marks: [],
    memo: new Map(),
    resolver,
  };
  for (;;) {
    const opcode = take(machine, 1)[0];
    if (opcode === STOP) break;
    const run = INSTRUCTIONS.get(opcode);
    if (run === undefined) throw refused(unknownInstruction(opcode));
    run(machine);
    if (machine.stack.length > MAX_ENTRIES) throw refused(`puts more than ${MAX_ENTRIES} values on its stack`);
  }
  const result = pop(machine);
  if (machine.stack.length > 0 || machine.marks.length > 0) throw refused('leaves values behind');
  return result;
}

const STOP = 0x2e;

const INSTRUCTIONS: ReadonlyMap<number, (machine: Machine) => void> = new Map(
  Object.entries<(machine: Machine) => void>({
    // Framing
    '\x80': (m) => {
      const protocol = take(m, 1)[0];
      if (protocol > MAX_PROTOCOL)
        throw refused(`is of protocol ${protocol}; this program reads up to ${MAX_PROTOCOL}`);
    },
    '\x95': (m) => void take(m, 8),
    // Stack and memo
    '(': (m) => {
      m.marks.push(m.stack.length);
      if (m.marks.length > MAX_ENTRIES) throw refused(`sets more than ${MAX_ENTRIES} marks`);
    },
    '0': (m) => void pop(m),
    '1': (m) => void popToMark(m),
    '2': (m) => m.stack.push(top(m)),
    q: (m) => memoize(m, take(m, 1)[0]),
    r: (m) => memoize(m, unsigned(m, 4)),
    p: (m) => memoize(m, decimal(m)),
    '\x94': (m) => memoize(m, m.memo.size),
    h: (m) => recall(m, take(m, 1)[0]),
    j: (m) => recall(m, unsigned(m, 4)),
    g: (m) => recall(m, decimal(m)),
    // Values
    N: (m) => m.stack.push(null),
    '\x88': (m) => m.stack.push(true),
    '\x89': (m) => m.stack.push(false),
    K: (m) => m.stack.push(take(m, 1)[0]),
    M: (m) => m.stack.push(unsigned(m, 2)),
    J: (m) => m.stack.push(unsigned(m, 4) | 0),
    G: (m) => m.stack.push(m.view.getFloat64(advance(m, 8))),
    '\x8a': (m) => m.stack.push(long(take(m, take(m, 1)[0]))),
    I: (m) => m.stack.push(integerLine(line(m))),
    X: (m) => m.stack.push(text(take(m, unsigned(m, 4)))),
    '\x8c': (m) => m.stack.push(text(take(m, take(m, 1)[0]))),
    '\x8d': (m) => m.stack.push(text(take(m, unsigned(m, 8)))),
    C: (m) => m.stack.push(take(m, take(m, 1)[0])),
    B: (m) => m.stack.push(take(m, unsigned(m, 4))),
    // Containers
    ')': (m) => m.stack.push({ kind: 'tuple', items: [] }),
    '\x85': (m) => m.stack.push({ kind: 'tuple', items: popMany(m, 1) }),
    '\x86': (m) => m.stack.push({ kind: 'tuple', items: popMany(m, 2) }),
    '\x87': (m) => m.stack.push({ kind: 'tuple', items: popMany(m, 3) }),
    t: (m) => m.stack.push({ kind: 'tuple', items: popToMark(m) }),
    ']': (m) => m.stack.push([]),
    l: (m) => m.stack.push(popToMark(m)),
    a: (m) => append(m, [pop(m)]),
    e: (m) => append(m, popToMark(m)),
    '}': (m) => m.stack.push(new Map()),
    d: (m) => m.stack.push(setItems(new Map(), popToMark(m))),
    s: (m) => setTop(m, popMany(m, 2)),
    u: (m) => setTop(m, popToMark(m)),
    // What could run code, and here only builds what is on the list
    c: (m) => m.stack.push(m.resolver.global(line(m), line(m))),
    '\x93': (m) => {
      const [module, name] = popMany(m, 2);
      if (typeof module !== 'string' || typeof name !== 'string') throw refused('asks for a global without a name');
      m.stack.push(m.resolver.global(module, name));
    },
    R: (m) => {
      const [callee, args] = popMany(m, 2);
      if (!isFunction(callee)) throw refused('calls something that is not a function');
      if (!isTuple(args)) throw refused(`calls ${callee.name} without arguments`);
      m.stack.push(callee.call(args.items));
    },
    b: (m) => {
      pop(m);
      if (!(top(m) instanceof Map)) throw refused('sets attributes of an object (BUILD)');
    },
    Q: (m) => m.stack.push(m.resolver.persistent(pop(m))),
    P: (m) => m.stack.push(m.resolver.persistent(line(m))),
  }).map(([opcode, run]) => [opcode.charCodeAt(0), run]),
);

/** Instructions whose only use here would be to build objects. */
const FORBIDDEN: Readonly<Record<string, string>> = {
  i: 'INST, which calls a class',
  o: 'OBJ, which calls a class',
  '\x81': 'NEWOBJ, which calls a class',
  '\x92': 'NEWOBJ_EX, which calls a class',
  '\x82': 'EXT1, which names a registered class',
  '\x83': 'EXT2, which names a registered class',
  '\x84': 'EXT4, which names a registered class',
};

function unknownInstruction(opcode: number): string {
  const known = FORBIDDEN[String.fromCharCode(opcode)];
  return known === undefined
    ? `holds the instruction 0x${opcode.toString(16)}, which weights do not need`
    : `uses ${known}`;
}

function advance(machine: Machine, count: number): number {
  const from = machine.at;
  if (count > machine.bytes.length - from) throw refused('ends in the middle');
  machine.at = from + count;
  return from;
}

function take(machine: Machine, count: number): Uint8Array {
  const from = advance(machine, count);
  return machine.bytes.subarray(from, from + count);
}

/** Little-endian. */
function unsigned(machine: Machine, bytes: 2 | 4 | 8): number {
  const from = advance(machine, bytes);
  if (bytes === 2) return machine.view.getUint16(from, true);
  if (bytes === 4) return machine.view.getUint32(from, true);
  return Number(machine.view.getBigUint64(from, true));
}

/** A whole number of up to seven bytes, two's complement: more is no dimension of anything. */
function long(bytes: Uint8Array): number {
  if (bytes.length > 7) throw refused(`holds a number of ${bytes.length} bytes`);
  if (bytes.length === 0) return 0;
  let value = 0;
  for (let i = bytes.length - 1; i >= 0; i--) value = value * 256 + bytes[i];
  const number = bytes[bytes.length - 1] >= 128 ? value - 256 ** bytes.length : value;
  if (!Number.isSafeInteger(number)) throw refused('holds a number beyond 2^53');
  return number;
}

const LONGEST_LINE = 4096;

/** A line without its end. */
function line(machine: Machine): string {
  const end = machine.bytes.indexOf(0x0a, machine.at);
  if (end < 0 || end - machine.at > LONGEST_LINE) throw refused('holds a line without an end');
  const content = text(take(machine, end - machine.at));
  advance(machine, 1);
  return content;
}

function decimal(machine: Machine): number {
  const written = line(machine);
  if (!/^\d{1,10}$/.test(written)) throw refused(`numbers its memo by '${written}'`);
  return Number(written);
}

function integerLine(written: string): number | boolean {
  if (written === '00') return false;
  if (written === '01') return true;
  if (!/^-?\d{1,15}$/.test(written)) throw refused(`holds the number '${written}'`);
  return Number(written);
}

function text(bytes: Uint8Array): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw refused('holds a text that is not UTF-8');
  }
}

/** Values below the last mark belong to whoever set it. */
function pop(machine: Machine): PickleValue {
  const { stack, marks } = machine;
  if (stack.length <= (marks.at(-1) ?? 0)) throw refused('takes a value from an empty stack');
  return stack.pop() as PickleValue;
}

function popMany(machine: Machine, count: number): PickleValue[] {
  const values = Array.from({ length: count }, () => pop(machine));
  return values.reverse();
}

function top(machine: Machine): PickleValue {
  const { stack, marks } = machine;
  if (stack.length <= (marks.at(-1) ?? 0)) throw refused('looks at an empty stack');
  return stack[stack.length - 1];
}

function popToMark(machine: Machine): PickleValue[] {
  const mark = machine.marks.pop();
  if (mark === undefined) throw refused('goes back to a mark that it never set');
  return machine.stack.splice(mark);
}

function memoize(machine: Machine, key: number): void {
  machine.memo.set(key, top(machine));
  if (machine.memo.size > MAX_ENTRIES) throw refused(`remembers more than ${MAX_ENTRIES} values`);
}

function recall(machine: Machine, key: number): void {
  const value = machine.memo.get(key);
  if (value === undefined) throw refused(`recalls value ${key}, which it never remembered`);
  machine.stack.push(value);
}

function append(machine: Machine, values: readonly PickleValue[]): void {
  const list = top(machine);
  if (!Array.isArray(list)) throw refused('appends to something that is not a list');
  for (const value of values) list.push(value);
}

function setTop(machine: Machine, pairs: readonly PickleValue[]): void {
  const dict = top(machine);
  if (!(dict instanceof Map)) throw refused('sets an item of something that is not a dict');
  setItems(dict, pairs);
}

function setItems(dict: Map<PickleKey, PickleValue>, pairs: readonly PickleValue[]): PickleValue {
  if (pairs.length % 2 !== 0) throw refused('holds a dict with a key without a value');
  for (let i = 0; i < pairs.length; i += 2) {
    const key = pairs[i];
    if (typeof key === 'object' && key !== null) throw refused('holds a dict whose key is not a text or a number');
    dict.set(key, pairs[i + 1]);
  }
  return dict;
}

function refused(what: string): InputError {
  return new InputError(
    'PICKLE_REFUSED',
    `The pickle in the file ${what}`,
    'Only tensors and containers are read: save model.state_dict() with torch.save, or use safetensors',
  );
}
