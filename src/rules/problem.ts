// What is wrong with a rule, where, and what to do: all problems of a set are found at once, not one a try.

/** Every kind of problem, for programs that show them; the message says it of the case at hand. */
export const PROBLEM_CODES = {
  YAML_INVALID: { es: 'no se puede leer como YAML o JSON', en: 'it cannot be read as YAML or JSON' },
  LIMIT_EXCEEDED: { es: 'demasiado largo, demasiado o demasiado anidado', en: 'too long, too many or nested too deep' },
  SHAPE_INVALID: { es: 'se espera una lista, un mapa o un texto', en: 'a list, a map or a text is expected' },
  KEY_UNKNOWN: { es: 'la clave no existe', en: 'there is no such key' },
  KEY_REPEATED: { es: 'la clave está dos veces', en: 'the key stands twice' },
  KEY_MISSING: { es: 'falta una clave', en: 'a key is missing' },
  VALUE_INVALID: { es: 'el valor no se permite ahí', en: 'the value is not allowed there' },
  REASON_UNKNOWN: { es: 'el código de razón no existe', en: 'there is no such reason code' },
  SYNTAX_INVALID: { es: 'la condición no se puede leer', en: 'the condition cannot be read' },
  NAME_UNKNOWN: { es: 'no hay tal campo, variable o puntaje', en: 'there is no such field, feature or score' },
  FUNCTION_UNKNOWN: { es: 'la función no existe', en: 'there is no such function' },
  LIST_UNKNOWN: { es: 'la lista no existe', en: 'there is no such list' },
  RULE_UNKNOWN: { es: 'la regla no existe', en: 'there is no such rule' },
  TYPE_MISMATCH: { es: 'el tipo no es el que se espera', en: 'the type is not the one expected' },
  UNIT_MISMATCH: { es: 'los números no miden lo mismo', en: 'the numbers do not measure the same' },
  VALUE_IMPOSSIBLE: { es: 'el campo nunca tiene ese valor', en: 'the field never has that value' },
  NEVER_HOLDS: { es: 'nunca puede cumplirse', en: 'it can never hold' },
  ALWAYS_HOLDS: { es: 'se cumple siempre', en: 'it always holds' },
  ADDS_NOTHING: { es: 'lo anterior ya lo cubre', en: 'what stands before covers it' },
  RULE_REPEATED: { es: 'hay dos reglas con el mismo id', en: 'two rules have the same id' },
  RULES_IN_CIRCLE: { es: 'las reglas preguntan una por otra en círculo', en: 'rules ask about each other in a circle' },
  VERSION_TAKEN: { es: 'esa versión ya está en el libro', en: 'that version is in the book already' },
  TEST_FAILED: { es: 'la prueba no da lo que espera', en: 'the test does not give what it expects' },
} as const satisfies Readonly<Record<string, { readonly es: string; readonly en: string }>>;
export type ProblemCode = keyof typeof PROBLEM_CODES;

export interface Problem {
  readonly code: ProblemCode;
  /** Characters from the beginning of the expression; of the file once `read-rules.ts` has placed it. */
  readonly offset: number;
  readonly message: string;
  readonly hint: string;
}

/** The known name that is most like a mistyped one; null where none is near. */
export function nearest(name: string, known: Iterable<string>): string | null {
  const lower = name.toLowerCase();
  let best: string | null = null;
  let least = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(lower, candidate.toLowerCase(), least);
    if (distance < least) {
      best = candidate;
      least = distance;
    }
  }
  return best;
}

/** `did you mean …?`, or else what to look up. */
export function suggestion(name: string, known: Iterable<string>, otherwise: string): string {
  const near = nearest(name, known);
  return near === null ? otherwise : `Did you mean ${near}?`;
}

/** Levenshtein's distance; anything from `limit` on is as good as `limit`. */
function editDistance(a: string, b: string, limit: number): number {
  if (Math.abs(a.length - b.length) >= limit) return limit;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return Math.min(limit, row[b.length]);
}
