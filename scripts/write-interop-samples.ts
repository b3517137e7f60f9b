// Writes sample networks in every format, with what our own scorer predicts, for python/check_written.py.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { NETWORK_FORMATS, writeNetwork } from '../src/interchange/network-files.ts';
import { sampleNetworks } from '../test/interop/sample-networks.ts';

const folder = process.argv[2];
mkdirSync(folder, { recursive: true });
for (const { name, network, rows, inputs, outputs } of sampleNetworks()) {
  const columns = network.description.inputs;
  const asRows = Array.from({ length: rows }, (_, row) => [...inputs.subarray(row * columns, (row + 1) * columns)]);
  writeFileSync(join(folder, `${name}.json`), JSON.stringify({ inputs: asRows, outputs: [...outputs] }));
  for (const format of NETWORK_FORMATS) {
    writeFileSync(join(folder, `${name}.${format}`), await writeNetwork(network, format));
  }
}
