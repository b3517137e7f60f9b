// A table for a terminal: columns as wide as their widest cell.

export interface PlainColumn {
  readonly title: string;
  readonly right?: boolean;
}

/** @param rows cells in the order of the columns */
export function plainTable(columns: readonly PlainColumn[], rows: readonly (readonly string[])[]): string {
  const lines = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, index) => Math.max(...lines.map((cells) => [...cells[index]].length)));
  return lines
    .map((cells) =>
      cells
        .map((cell, index) => {
          const fill = ' '.repeat(widths[index] - [...cell].length);
          return columns[index].right === true ? fill + cell : cell + fill;
        })
        .join('  ')
        .trimEnd(),
    )
    .map((line) => `${line}\n`)
    .join('');
}
