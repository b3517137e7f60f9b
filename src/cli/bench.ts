// `bench NAME`: runs one benchmark of bench/ and prints its figures. Benchmarks live in the checkout, not in the build.
import { existsSync } from 'node:fs';
import { type Command, UsageError } from './command.ts';
import { OUTLINES } from './command-outlines.ts';

/** name → file in bench/ and the function that runs it */
const BENCHMARKS: Readonly<Record<string, readonly [file: string, run: string]>> = {
  features: ['features.ts', 'benchFeatures'],
  network: ['network.ts', 'benchNetwork'],
  gbdt: ['gbdt.ts', 'benchGbdt'],
  'isolation-forest': ['isolation-forest.ts', 'benchIsolationForest'],
  simulate: ['simulate.ts', 'benchSimulate'],
  growth: ['growth.ts', 'benchGrowth'],
  rules: ['rules.ts', 'benchRules'],
  pipeline: ['pipeline.ts', 'benchPipeline'],
  kafka: ['kafka.ts', 'benchKafka'],
  'kafka-workers': ['kafka.ts', 'benchKafkaWorkers'],
  'kafka-stages': ['kafka.ts', 'benchKafkaStages'],
  api: ['api.ts', 'benchApi'],
};

export const benchCommand: Command = {
  ...OUTLINES.bench,
  options: {},
  async run([name], options, { out }) {
    const benchmark = BENCHMARKS[name ?? ''];
    if (benchmark === undefined) {
      throw new UsageError(
        `${name === undefined ? 'which benchmark?' : `there is no benchmark '${name}';`} There are ${Object.keys(BENCHMARKS).join(', ')}`,
      );
    }
    const [file, run] = benchmark;
    const url = new URL(`../../bench/${file}`, import.meta.url);
    if (!existsSync(url)) throw new UsageError('benchmarks run from a checkout of the project, where bench/ is');
    const module = (await import(url.href)) as Record<string, () => Promise<Record<string, number>>>;
    const figures = await module[run]();
    if (options.json === true) {
      out(`${JSON.stringify(figures)}\n`);
      return;
    }
    const width = Math.max(...Object.keys(figures).map((key) => key.length));
    for (const [key, value] of Object.entries(figures)) {
      const shown = Math.abs(value) >= 1000 ? Math.round(value).toLocaleString('en-US') : Number(value.toPrecision(4));
      out(`${key.padEnd(width)}  ${shown}\n`);
    }
  },
};
