// How networks are chosen on the command line: a preset, and a YAML file of what departs from it.
import { readFileSync } from 'node:fs';
import { parseNetworkYaml } from '../interchange/network-yaml.ts';
import { InputError } from '../lib/errors.ts';
import { type NetworkOptions, PRESETS } from '../models/network/options.ts';
import { type OptionSpec, type OptionValues, UsageError } from './command.ts';

export const NETWORK_OPTIONS = {
  network: {
    type: 'text',
    value: 'FILE',
    help: 'YAML: layers, loss, optimizer … of the networks in the detectors network and ensemble (docs/networks.md)',
  },
  'network-preset': {
    type: 'text',
    help: "those networks' preset, before the one that the file names",
    choices: Object.keys(PRESETS),
  },
} as const satisfies Record<string, OptionSpec>;

/** Detectors that the options concern. */
const WITH_NETWORKS: readonly string[] = ['network', 'ensemble'];
const MAX_FILE_BYTES = 1 << 20;

/**
 * @param detectors names separated by commas
 * @throws UsageError where no detector asked for has such a network; InputError with all that is wrong with the file
 */
export function networkSettings(options: OptionValues, detectors: string): Partial<NetworkOptions> {
  const path = options.network as string | undefined;
  const preset = options['network-preset'] as NetworkOptions['preset'] | undefined;
  const given = path !== undefined ? '--network' : preset !== undefined ? '--network-preset' : null;
  if (given !== null && !detectors.split(',').some((name) => WITH_NETWORKS.includes(name.trim()))) {
    throw new UsageError(`${given} concerns ${WITH_NETWORKS.join(' and ')}: add one of them to --detectors`);
  }
  return {
    ...(path !== undefined && parseNetworkYaml(textOf(path), path)),
    ...(preset !== undefined && { preset }),
  };
}

function textOf(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new InputError(
      'NETWORK_MISSING',
      `--network ${path} can't be read (${(error as Error).message})`,
      'Check the name',
    );
  }
  if (text.length <= MAX_FILE_BYTES) return text;
  throw new InputError(
    'NETWORK_TOO_LARGE',
    `--network ${path} is longer than a megabyte`,
    'Give a YAML file of options',
  );
}
