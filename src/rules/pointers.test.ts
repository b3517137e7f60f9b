import fc from 'fast-check';
import { expect, it } from 'vitest';
import { isMap, isSeq, type Node, parseDocument } from 'yaml';
import { pointerTo } from './pointers.ts';

/** What RFC 6901 says of a pointer. */
function valueAt(document: unknown, pointer: string): unknown {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'))
    .reduce((value, key) => (value as Record<string, unknown>)[key], document);
}

it('leads to every node of a document, and to the scalar at a character', () => {
  const keys = fc.constantFrom('when', 'all', 'a/b', '~', 'x y');
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { depthSize: 'small' },
      fc.string({ minLength: 1 }),
      fc.integer(),
      fc.array(tie('tree'), { maxLength: 3 }),
      fc.dictionary(keys, tie('tree'), { maxKeys: 3 }),
    ),
  }));
  fc.assert(
    fc.property(tree, fc.boolean(), (value, indented) => {
      const root = parseDocument(JSON.stringify(value, null, indented ? 2 : 0)).contents;
      const visit = (node: Node): void => {
        expect(valueAt(value, pointerTo(root, node))).toEqual(node.toJSON());
        const children = isMap(node) ? node.items.map((pair) => pair.value) : isSeq(node) ? node.items : [];
        for (const child of children) visit(child as Node);
        if (!isMap(node) && !isSeq(node)) expect(pointerTo(root, node.range![0])).toBe(pointerTo(root, node));
      };
      visit(root!);
    }),
  );
});

it('leads to a map for what is missing in it, though its first key begins at the same place', () => {
  const { contents } = parseDocument('rules:\n  - id: a\n    when: b\n');
  const list = isMap(contents) ? contents.get('rules') : null;
  const [rule] = isSeq(list) ? list.items : [];
  expect(pointerTo(contents, rule)).toBe('/rules/0');
  expect(pointerTo(contents, isMap(rule) ? rule.items[1].key : null)).toBe('/rules/0/when');
});
