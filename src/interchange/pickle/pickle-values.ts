// What a pickle may be made of here: numbers, texts, containers, and objects of the few kinds that the caller hands in.

/** A Python tuple. */
export interface PickleTuple {
  readonly kind: 'tuple';
  readonly items: readonly PickleValue[];
}

/** Something that a pickle may call, and nothing else: it builds a value from values and has no other effect. */
export interface PickleFunction {
  readonly kind: 'function';
  readonly name: string;
  readonly call: (args: readonly PickleValue[]) => PickleValue;
}

/** An object of the caller's; a pickle can pass it on, and nothing more. */
export interface PickleObject {
  readonly kind: 'object';
  readonly name: string;
  readonly value: unknown;
}

export type PickleKey = string | number | boolean | null;
export type PickleDict = Map<PickleKey, PickleValue>;
export type PickleValue =
  | PickleKey
  | Uint8Array
  | PickleValue[]
  | PickleDict
  | PickleTuple
  | PickleFunction
  | PickleObject;

/** The caller's closed lists: what is not known must be refused by throwing. */
export interface PickleResolver {
  /** `module.name`, as GLOBAL, STACK_GLOBAL and INST ask for it. */
  global(module: string, name: string): PickleFunction | PickleObject;
  /** What a persistent id stands for. */
  persistent(id: PickleValue): PickleValue;
}

export function isTuple(value: PickleValue): value is PickleTuple {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'tuple';
}

export function isFunction(value: PickleValue): value is PickleFunction {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'function';
}

export function isObject(value: PickleValue): value is PickleObject {
  return typeof value === 'object' && value !== null && 'kind' in value && value.kind === 'object';
}
