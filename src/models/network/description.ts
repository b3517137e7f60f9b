// A feed-forward network as plain data: a Keras-like list of layers, and the numbers of a trained one.
//
// Everything else about networks works from these two types: the training graph, the scorer, explanations, and the files
// of Keras, PyTorch and ONNX.

export type ActivationName =
  | 'linear'
  | 'relu'
  | 'leaky-relu'
  | 'elu'
  | 'selu'
  | 'gelu'
  | 'swish'
  | 'softplus'
  | 'sigmoid'
  | 'tanh';

/** Replaces columns of category codes (0 … categories − 1; any other value is code 0) by learned vectors. First layer only. */
export interface EmbedColumnsLayer {
  readonly kind: 'embed-columns';
  /** Output: the other columns in their order, then each embedding in the order of this list. */
  readonly columns: readonly { readonly column: number; readonly categories: number; readonly units: number }[];
}

export interface DenseLayer {
  readonly kind: 'dense';
  readonly units: number;
  readonly activation: ActivationName;
  /** Penalty × Σ |kernel|, added to the loss. */
  readonly l1: number;
  /** Penalty × Σ kernel², added to the loss, as in Keras. */
  readonly l2: number;
}

export interface DropoutLayer {
  readonly kind: 'dropout';
  /** Share of the inputs set to zero while training, in [0, 1); the rest is scaled up. */
  readonly rate: number;
}

export interface BatchNormLayer {
  readonly kind: 'batch-norm';
  /** Of the running mean and variance, as in Keras: new = momentum × old + (1 − momentum) × batch. */
  readonly momentum: number;
  readonly epsilon: number;
}

export type Layer = EmbedColumnsLayer | DenseLayer | DropoutLayer | BatchNormLayer;

export interface NetworkDescription {
  /** Columns of the input matrix. */
  readonly inputs: number;
  readonly layers: readonly Layer[];
}

/** One entry per layer, in order; all arrays row-major. */
export type LayerWeights =
  /** `tables[i]`: categories × units of the i-th embedded column. */
  | { readonly kind: 'embed-columns'; readonly tables: readonly Float32Array[] }
  /** `kernel`: inputs × units, as Keras stores it; `bias`: units. */
  | { readonly kind: 'dense'; readonly kernel: Float32Array; readonly bias: Float32Array }
  | { readonly kind: 'dropout' }
  | {
      readonly kind: 'batch-norm';
      readonly gamma: Float32Array;
      readonly beta: Float32Array;
      readonly mean: Float32Array;
      readonly variance: Float32Array;
    };

/** A trained network. */
export interface Network {
  readonly description: NetworkDescription;
  readonly weights: readonly LayerWeights[];
}
