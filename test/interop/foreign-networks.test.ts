// Networks saved by Keras and PyTorch themselves predict here what they predicted there; unsafe files are refused.
//
// The files are made by python/make_fixtures.py; CENTINELA_INTEROP_FIXTURES names a folder of freshly made ones.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { describe, expect, it } from 'vitest';
import { NETWORK_FORMATS, type NetworkFormat, readNetwork } from '../../src/interchange/network-files.ts';
import { InputError } from '../../src/lib/errors.ts';
import { createNetworkScorer } from '../../src/models/network/scorer/network-scorer.ts';
import { FIXTURES, foreignModels, largestDifference } from './fixtures.ts';

const networks = foreignModels().filter(({ format }) => NETWORK_FORMATS.includes(format as NetworkFormat));

describe('a network of someone else', () => {
  it.each(networks)('predicts what it predicted where it was made: $file', async (model) => {
    const network = await readNetwork(model.bytes, model.format as NetworkFormat, model.options);
    const outputs = createNetworkScorer(network).score(model.inputs, model.rows);
    expect(new Set(outputs).size).toBeGreaterThan(model.rows / 2);
    expect(largestDifference(outputs, model.outputs)).toBeLessThan(1e-5);
  });

  it('was made by each of Keras, PyTorch and safetensors', () => {
    expect(new Set(networks.map(({ format }) => format))).toEqual(new Set(NETWORK_FORMATS));
  });
});

describe('a .pt file', () => {
  const read = (file: string) =>
    readNetwork(readFileSync(join(FIXTURES, file)), 'pt', { activations: ['selu', 'sigmoid'] });

  it('of the old format is refused with advice', async () => {
    await expect(read('torch-old-format.pt')).rejects.toThrow(/not a zip.*save its state_dict\(\) again/);
  });

  it('of a whole model, which is a pickle of code, is refused with advice', async () => {
    await expect(read('torch-whole-model.pt')).rejects.toThrow(
      /asks for torch\.nn\.modules\.container\.Sequential; only tensors and containers are ever built/,
    );
  });

  it('with two pickles, names outside its folder or twice the same is refused', async () => {
    const pickle = Uint8Array.of(0x80, 2, 0x7d, 0x2e);
    const refused = (entries: Record<string, Uint8Array>) =>
      expect(readNetwork(zipSync(entries), 'pt')).rejects.toThrow(InputError);
    await refused({ 'a/data.pkl': pickle, 'b/data.pkl': pickle });
    await refused({ 'a/data.pkl': pickle, '../escaped': pickle });
    await refused({ 'a/data.pkl': pickle, '/etc/escaped': pickle });
    await refused({ 'a/other.pkl': pickle });
  });

  it('that claims to unpack to gigabytes is refused before anything is unpacked', async () => {
    const file = zipSync({ 'a/data.pkl': new Uint8Array(100_000) }, { level: 9 });
    const size = new DataView(file.buffer, file.byteOffset);
    for (let at = 0; at + 4 <= file.length; at++)
      if (size.getUint32(at, true) === 100_000) size.setUint32(at, 2 ** 31 - 1, true);
    await expect(readNetwork(file, 'pt')).rejects.toThrow(/claims that \d+ bytes unpack to 2147483647/);
  });
});

describe('a malicious pickle', () => {
  const folder = join(FIXTURES, 'malicious');
  const files = readdirSync(folder).filter((name) => name.endsWith('.pt'));

  it('is there in many kinds', () => {
    expect(files.length).toBeGreaterThanOrEqual(26);
  });

  it.each(files)('is refused, and does nothing: %s', async (file) => {
    const started = performance.now();
    const reading = readNetwork(readFileSync(join(folder, file)), 'pt', { activations: ['linear'] });
    await expect(reading).rejects.toThrow(InputError);
    await expect(reading).rejects.toThrow(/pickle|tensor|Tensor|state dict|damaged/);
    expect(existsSync('/tmp/centinela-was-here')).toBe(false);
    expect(performance.now() - started).toBeLessThan(5000);
  });

  it.each([
    ['global-reduce.pt', /asks for os\.system; only tensors and containers are ever built/],
    ['stack-global.pt', /asks for os\.system/],
    ['inst.pt', /uses INST, which calls a class/],
    ['obj.pt', /asks for os\.system/],
    ['newobj.pt', /asks for subprocess\.Popen/],
    ['extension.pt', /EXT1/],
    ['build-function.pt', /sets attributes of an object \(BUILD\)/],
    ['persistent-path.pt', /the numbers '\.\.\/\.\.\/\.\.\/etc\/passwd' are missing/],
    ['memo-bomb.pt', /remembers more than \d+ values/],
    ['list-bomb.pt', /puts more than \d+ values on its stack/],
    ['text-bomb.pt', /ends in the middle/],
    ['prototype.pt', /asks for __proto__\.constructor/],
    ['tensor-bomb.pt', /more than \d+ elements/],
    ['tensor-outside.pt', /reaches beyond its numbers/],
  ])('is named for what it tries: %s', async (file, message) => {
    await expect(readNetwork(readFileSync(join(folder, file)), 'pt')).rejects.toThrow(message);
  });
});
