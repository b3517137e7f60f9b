// Reads Prometheus' text format (0.0.4) as strictly as `promtool check metrics` does, and refuses what it would refuse.

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const NAME = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/y;
const SAMPLE = new RegExp(`^(${NAME})(?:\\{(.*)\\})? (-?(?:[0-9.]+(?:e[+-]?[0-9]+)?|Inf)|\\+Inf|[Nn]a[Nn])$`);

/** @throws Error that says which line is wrong */
export function readMetrics(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, { type: string; help: string; samples: Sample[] }>();
  const seen = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    const fail = (what: string) => new Error(`line ${index + 1}, ${what}: ${line}`);
    if (line === '') continue;
    const about = new RegExp(`^# (HELP|TYPE) (${NAME}) (.+)$`).exec(line);
    if (about !== null) {
      const [, kind, name, rest] = about;
      const family = families.get(name) ?? { type: '', help: '', samples: [] };
      families.set(name, family);
      if (family.samples.length > 0) throw fail('told after its samples');
      if ((kind === 'HELP' ? family.help : family.type) !== '') throw fail('told twice');
      if (kind === 'HELP') family.help = rest;
      else family.type = rest;
      continue;
    }
    const sample = SAMPLE.exec(line);
    if (sample === null) throw fail('no sample');
    const [, name, labels = '', value] = sample;
    const family = families.get(name) ?? families.get(name.replace(/_(bucket|sum|count)$/, ''));
    if (family === undefined || family.type === '' || family.help === '') throw fail('of no family that was told');
    if (seen.has(`${name}{${labels}}`)) throw fail('twice');
    seen.add(`${name}{${labels}}`);
    family.samples.push({ name, labels: readLabels(labels, fail), value: Number(value.replace('Inf', 'Infinity')) });
  }
  for (const [name, family] of families) checkFamily(name, family);
  return families;
}

function readLabels(text: string, fail: (what: string) => Error): Record<string, string> {
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < text.length) {
    const found = LABEL.exec(text);
    if (found === null) throw fail('labels that cannot be read');
    labels[found[1]] = found[2];
  }
  return labels;
}

function checkFamily(name: string, { type, samples }: Family): void {
  if (type === 'counter' && !name.endsWith('_total')) throw new Error(`${name} is a counter without _total`);
  if (type === 'counter' && samples.some(({ value }) => value < 0)) throw new Error(`${name} is negative`);
  if (type !== 'histogram') return;
  const series = Map.groupBy(
    samples.filter((each) => each.name.endsWith('_bucket')),
    ({ labels: { le: _, ...others } }) => JSON.stringify(others),
  );
  for (const buckets of series.values()) {
    const isRising = buckets.every(({ value }, at) => at === 0 || value >= buckets[at - 1].value);
    if (!isRising || buckets.at(-1)?.labels.le !== '+Inf') throw new Error(`${name}: buckets that do not add up`);
  }
}

/** Names and labels alone: a figure of many digits may hold those of any short number. */
export function withoutFigures(text: string): string {
  return text.replace(/ [-+0-9.e]+$/gm, '');
}
