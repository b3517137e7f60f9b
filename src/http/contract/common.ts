// Schemas that several endpoints share.
import Type from 'typebox';

export const nullable = <Schema extends Type.TSchema>(schema: Schema) => Type.Union([schema, Type.Null()]);
export const oneOf = <const Values extends readonly string[]>(values: Values, description = '') =>
  Type.Enum<[...Values]>([...values] as [...Values], { description });

/** RFC 9457. */
export const ProblemSchema = Type.Object(
  {
    type: Type.String({ description: 'address of what is said of this kind of problem' }),
    title: Type.String(),
    status: Type.Integer(),
    code: Type.String({ description: 'stable, for programs' }),
    detail: Type.String({ description: 'what is wrong, where, and what to do' }),
    instance: Type.String({ description: 'of this one request: the same in the logs' }),
  },
  { description: 'What went wrong (RFC 9457)' },
);

export const TimeMs = Type.Integer({ minimum: 0, maximum: 8_640_000_000_000_000, description: 'milliseconds UTC' });
export const Id = Type.String({ minLength: 1, maxLength: 100 });

export const DEFAULT_PAGE = 50;
export const MOST_PAGE = 500;

export const pageQuery = {
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: MOST_PAGE, description: `rows of a page; default ${DEFAULT_PAGE}` }),
  ),
  cursor: Type.Optional(
    Type.String({ minLength: 1, maxLength: 500, description: '`next` of the page before; the first page without it' }),
  ),
};

export const pageOf = <Row extends Type.TSchema>(row: Row) =>
  Type.Object({
    rows: Type.Array(row),
    next: nullable(Type.String({ description: 'cursor of the next page; null where this is the last' })),
  });

export const ReasonSchema = Type.Object({
  code: Type.String(),
  weight: Type.Number({ minimum: 0, maximum: 1, description: 'its share in the risk' }),
  es: Type.String(),
  en: Type.String(),
});
