// Writes Keras 3's .keras (a zip of config.json, metadata.json and model.weights.h5) and its older .h5.
import { zipSync } from 'fflate';
import type { Network } from '../../models/network/description.ts';
import { writeHdf5 } from '../hdf5.ts';
import { type KerasLayer, kerasLayersOf } from './keras-layers.ts';

/** The version whose files these are; later ones read them. */
const KERAS_VERSION = '3.10.0';
/** Fixed times, so that the same network gives the same bytes. */
const SAVED = '2000-01-01@00:00:00';
const ZIP_TIME = '1980-01-02T00:00:00';
const MODEL_NAME = 'centinela';
const FLOATS = 'float32';

type Json = Readonly<Record<string, unknown>>;

export async function writeKeras(network: Network): Promise<Uint8Array> {
  const layers = kerasLayersOf(network);
  const weights = await writeHdf5((file) => {
    file.group('vars');
    for (const { name, variables } of layers) {
      file.group(`layers/${name}/vars`);
      variables.forEach(({ tensor }, index) => {
        file.dataset(`layers/${name}/vars/${index}`, tensor);
      });
    }
  });
  const text = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));
  const config = {
    ...modelConfig(layers, 'keras'),
    registered_name: isSequential(layers) ? null : 'Functional',
    build_config: { input_shape: isSequential(layers) ? [null, ...layers[0].outputShape] : null },
  };
  return zipSync(
    {
      'metadata.json': text({ keras_version: KERAS_VERSION, date_saved: SAVED }),
      'config.json': text(config),
      'model.weights.h5': weights,
    },
    { level: 0, mtime: ZIP_TIME },
  );
}

export async function writeKerasH5(network: Network): Promise<Uint8Array> {
  const layers = kerasLayersOf(network);
  // Keras lists a Sequential's layers without its input.
  const listed = isSequential(layers) ? layers.slice(1) : layers;
  return writeHdf5((file) => {
    file.attribute('/', 'backend', 'jax');
    file.attribute('/', 'keras_version', KERAS_VERSION);
    file.attribute('/', 'model_config', JSON.stringify(modelConfig(layers, 'h5')));
    file.attribute('model_weights', 'backend', 'jax');
    file.attribute('model_weights', 'keras_version', KERAS_VERSION);
    file.attribute(
      'model_weights',
      'layer_names',
      listed.map(({ name }) => name),
    );
    for (const { name, variables } of listed) {
      file.attribute(
        `model_weights/${name}`,
        'weight_names',
        variables.map((each) => `${name}/${each.name}`),
      );
      for (const variable of variables) file.dataset(`model_weights/${name}/${name}/${variable.name}`, variable.tensor);
    }
    file.attribute('model_weights/top_level_model_weights', 'weight_names', []);
  });
}

const isSequential = (layers: readonly KerasLayer[]) => layers.every(({ className }) => className !== 'Embedding');

/** .keras names the module of every class; .h5 does not. */
function modelConfig(layers: readonly KerasLayer[], format: 'keras' | 'h5'): Json {
  const sequential = isSequential(layers);
  const listed = layers.map((layer) => layerConfig(layer, layers, format, sequential));
  const name = { name: MODEL_NAME, trainable: true };
  const [module, className, config] = sequential
    ? ['keras', 'Sequential', { ...name, layers: listed, build_input_shape: [null, ...layers[0].outputShape] }]
    : [
        'keras.src.models.functional',
        'Functional',
        {
          ...name,
          layers: listed,
          input_layers: [[layers[0].name, 0, 0]],
          output_layers: [[layers[layers.length - 1].name, 0, 0]],
        },
      ];
  return { ...(format === 'keras' && { module }), class_name: className, config };
}

function layerConfig(
  layer: KerasLayer,
  layers: readonly KerasLayer[],
  format: 'keras' | 'h5',
  sequential: boolean,
): Json {
  const { className, name, inbound, inputShape, outputShape } = layer;
  const isInput = className === 'InputLayer';
  const config = isInput
    ? { batch_shape: [null, ...outputShape], dtype: FLOATS, sparse: false, ragged: false, name }
    : { name, trainable: true, dtype: FLOATS, ...withModules(layer.config, format) };
  return {
    ...(format === 'keras' && { module: 'keras.layers' }),
    class_name: className,
    config,
    ...(format === 'keras' && { registered_name: null }),
    ...(format === 'keras' && !isInput && { build_config: { input_shape: batched(inputShape) } }),
    ...(!sequential && { name, inbound_nodes: isInput ? [] : [{ args: argumentsOf(inbound, layers), kwargs: {} }] }),
  };
}

function withModules(config: Json, format: 'keras' | 'h5'): Json {
  if (format === 'h5' || !config.kernel_regularizer) return config;
  return {
    ...config,
    kernel_regularizer: { module: 'keras.regularizers', ...config.kernel_regularizer, registered_name: null },
  };
}

function batched(shape: KerasLayer['inputShape']): unknown[] {
  return shape.some((part) => typeof part !== 'number')
    ? shape.map((part) => [null, ...(part as number[])])
    : [null, ...shape];
}

function argumentsOf(inbound: readonly string[], layers: readonly KerasLayer[]): unknown[] {
  const tensors = inbound.map((name) => {
    const shape = [null, ...(layers.find((layer) => layer.name === name)?.outputShape ?? [])];
    return { class_name: '__keras_tensor__', config: { shape, dtype: FLOATS, keras_history: [name, 0, 0] } };
  });
  return tensors.length === 1 ? tensors : [tensors];
}
