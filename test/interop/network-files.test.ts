// A network written to any format and read again is the same network, and damaged files say so.
import fc from 'fast-check';
import { Parser } from 'pickleparser';
import { describe, expect, it } from 'vitest';
import { NETWORK_FORMATS, readNetwork, writeNetwork } from '../../src/interchange/network-files.ts';
import { pickleStateDict } from '../../src/interchange/pickle/write-pickle.ts';
import { readSafetensors, writeSafetensors } from '../../src/interchange/safetensors.ts';
import { stateDictOf } from '../../src/interchange/state-dict.ts';
import { InputError } from '../../src/lib/errors.ts';
import { createNetworkScorer } from '../../src/models/network/scorer/network-scorer.ts';
import { sampleNetworks } from './sample-networks.ts';

const samples = sampleNetworks();

describe.each(NETWORK_FORMATS)('a network as %s', (format) => {
  it.each(samples)('comes back as it was: $name', async ({ network, inputs, outputs, rows }) => {
    const read = await readNetwork(await writeNetwork(network, format), format);
    // Keras has leaky ReLU as a layer of its own, which joins its dense layer again.
    expect(read).toEqual(network);
    expect(createNetworkScorer(read).score(inputs, rows)).toEqual(outputs);
  });

  it('is refused with a message when cut short or changed anywhere, or read as it was', async () => {
    const { network } = samples[2];
    const file = await writeNetwork(network, format);
    for (let length = 0; length < file.length; length += Math.ceil(file.length / 60)) {
      await expectRefusedOrRead(file.slice(0, length));
    }
    for (let at = 0; at < file.length; at += Math.ceil(file.length / 120)) {
      const changed = file.slice();
      changed[at] ^= 0x41;
      await expectRefusedOrRead(changed);
    }
    async function expectRefusedOrRead(bytes: Uint8Array) {
      await readNetwork(bytes, format).catch((error: unknown) => expect(error).toBeInstanceOf(InputError));
    }
  });
});

describe('a state dict without our description', () => {
  const tensors = stateDictOf(samples[1].network);
  const foreign = writeSafetensors({ tensors, metadata: {} });
  const activations = samples[1].network.description.layers.flatMap((layer) =>
    layer.kind === 'dense' ? [layer.activation] : [],
  );

  it('is a network once its activations are given', async () => {
    const read = await readNetwork(foreign, 'safetensors', { activations, epsilon: 1e-4 });
    const outputs = createNetworkScorer(read).score(samples[1].inputs, samples[1].rows);
    outputs.forEach((output, row) => {
      expect(output).toBeCloseTo(samples[1].outputs[row], 6);
    });
  });

  it('asks for the activations where they are not given, and says how many', async () => {
    await expect(readNetwork(foreign, 'safetensors')).rejects.toThrow(/10 Linear modules.*Give 10 activations/);
    await expect(readNetwork(foreign, 'safetensors', { activations: ['relu'] })).rejects.toThrow(/1 were given/);
  });

  it('asks on which side of a batch norm the activation is, where modules have names and no numbers', async () => {
    const named = new Map([...tensors].map(([name, tensor]) => [name.replace(/^(\d+)/, 'layer$1x'), tensor]));
    const file = writeSafetensors({ tensors: named, metadata: {} });
    await expect(readNetwork(file, 'safetensors', { activations })).rejects.toThrow(/'dense' or after 'batch-norm'/);
    const read = await readNetwork(file, 'safetensors', { activations, activationAfter: 'dense', epsilon: 1e-4 });
    const outputs = createNetworkScorer(read).score(samples[1].inputs, samples[1].rows);
    expect(outputs[0]).toBeCloseTo(samples[1].outputs[0], 6);
  });

  it('says which tensor it does not understand', async () => {
    const odd = new Map([...tensors, ['conv.weight', { dims: [1, 1, 1], data: new Float32Array(1) }]]);
    const file = writeSafetensors({ tensors: odd, metadata: {} });
    await expect(readNetwork(file, 'safetensors', { activations })).rejects.toThrow(/'conv' is neither Linear/);
  });
});

describe('safetensors', () => {
  const tensor = { dims: [2, 2], data: Float32Array.of(1, 2, 3, 4) };
  const withHeader = (header: unknown, data: Uint8Array) => {
    const text = new TextEncoder().encode(typeof header === 'string' ? header : JSON.stringify(header));
    const file = new Uint8Array(8 + text.length + data.length);
    new DataView(file.buffer).setBigUint64(0, BigInt(text.length), true);
    file.set(text, 8);
    file.set(data, 8 + text.length);
    return file;
  };
  const entry = (shape: unknown, data_offsets: unknown, dtype = 'F32') => ({ dtype, shape, data_offsets });

  it('keeps any tensor bit for bit', () => {
    fc.assert(
      fc.property(fc.array(fc.float()), fc.string(), (values, name) => {
        fc.pre(name !== '__metadata__' && name !== '__proto__');
        const data = Float32Array.from(values);
        const file = writeSafetensors({ tensors: new Map([[name, { dims: [values.length], data }]]), metadata: {} });
        expect(readSafetensors(file).tensors.get(name)?.data).toEqual(data);
      }),
    );
  });

  it('reads half precision, bfloat16 and double', () => {
    const bytes = Uint8Array.of(0x00, 0x3c, 0x01, 0x00, 0xc0, 0x3f, 0, 0, 0, 0, 0, 0, 0xf8, 0x3f);
    const file = withHeader(
      { h: entry([2], [0, 4], 'F16'), b: entry([], [4, 6], 'BF16'), d: entry([1], [6, 14], 'F64') },
      bytes,
    );
    const { tensors } = readSafetensors(file);
    expect([...(tensors.get('h')?.data ?? [])]).toEqual([1, 2 ** -24]);
    expect(tensors.get('b')?.data[0]).toBe(1.5);
    expect(tensors.get('d')?.data[0]).toBe(1.5);
  });

  it.each([
    ['a header longer than the file', withHeader({}, new Uint8Array()).subarray(0, 9)],
    ['a header of exabytes', Uint8Array.of(255, 255, 255, 255, 255, 255, 255, 127, 1)],
    ['a header that is no object', withHeader('[1]', new Uint8Array())],
    ['offsets outside', withHeader({ a: entry([2], [0, 8]) }, new Uint8Array(4))],
    ['offsets backwards', withHeader({ a: entry([0], [4, 0]) }, new Uint8Array(4))],
    ['offsets that are no numbers', withHeader({ a: entry([0], ['0', '0']) }, new Uint8Array())],
    ['overlapping tensors', withHeader({ a: entry([1], [0, 4]), b: entry([1], [0, 4]) }, new Uint8Array(4))],
    ['a gap', withHeader({ a: entry([1], [4, 8]) }, new Uint8Array(8))],
    ['bytes behind the tensors', withHeader({ a: entry([1], [0, 4]) }, new Uint8Array(8))],
    ['a shape of another length', withHeader({ a: entry([2], [0, 4]) }, new Uint8Array(4))],
    ['a shape beyond all memory', withHeader({ a: entry([2 ** 31, 2 ** 31], [0, 4]) }, new Uint8Array(4))],
    ['a negative shape', withHeader({ a: entry([-1, -1], [0, 4]) }, new Uint8Array(4))],
    ['numbers that are no floats', withHeader({ a: entry([1], [0, 4], 'I32') }, new Uint8Array(4))],
    ['metadata that are no texts', withHeader({ __metadata__: { a: 1 } }, new Uint8Array())],
  ])('refuses %s', (_, file) => {
    expect(() => readSafetensors(file)).toThrow(InputError);
  });

  it('writes what the format asks for: aligned numbers, offsets without gaps', () => {
    const file = writeSafetensors({
      tensors: new Map([
        ['é', tensor],
        ['b', tensor],
      ]),
      metadata: { a: 'b' },
    });
    const header = Number(new DataView(file.buffer).getBigUint64(0, true));
    expect(header % 8).toBe(0);
    expect(JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + header)))).toEqual({
      __metadata__: { a: 'b' },
      é: entry([2, 2], [0, 16]),
      b: entry([2, 2], [16, 32]),
    });
  });
});

describe('the pickle of a state dict', () => {
  it('is read by another reader as the same names and shapes', () => {
    const tensors = stateDictOf(samples[2].network);
    const parser = new Parser({
      nameResolver: {
        resolve: (module, name) =>
          name === 'OrderedDict'
            ? () => ({})
            : name === 'FloatStorage'
              ? () => name
              : (...args: unknown[]) => [`${module}.${name}`, ...args],
      },
      persistentResolver: { resolve: (id) => id },
      unpicklingTypeOfDictionary: 'object',
    });
    const read = parser.parse<Record<string, unknown[]>>(pickleStateDict(tensors));
    expect(Object.keys(read)).toEqual([...tensors.keys()]);
    [...tensors.values()].forEach(({ dims, data }, index) => {
      const [what, storage, offset, shape] = Object.values(read)[index];
      expect([what, offset, shape]).toEqual(['torch._utils._rebuild_tensor_v2', 0, dims]);
      expect((storage as unknown[]).slice(2)).toEqual([String(index), 'cpu', data.length]);
    });
  });
});
