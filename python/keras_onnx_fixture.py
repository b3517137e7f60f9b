"""Makes the fixture of a Keras model that went to ONNX by JAX. It needs a newer JAX than Debian's NumPy goes with, so
npm run test:interop does not make it anew. Keras's own model.export(format="onnx") needs TensorFlow or a newer PyTorch.

    python3 -m venv jax && jax/bin/pip install keras==3.10.0 jax==0.10.2 jax2onnx==0.17.1
    jax/bin/python python/keras_onnx_fixture.py test/interop/fixtures
"""

import json
import os
import sys

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
from jax2onnx import to_onnx
from keras import layers

FEATURES = ["amount", "count", "ratio", "age", "hour", "flag"]


def main(folder):
    keras.utils.set_random_seed(1)
    model = keras.Sequential([
        keras.Input((len(FEATURES),)),
        layers.Dense(8, activation="relu"),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Dense(4, activation="gelu"),
        layers.Dense(1, activation="sigmoid"),
    ])
    rng = np.random.default_rng(1)
    model.set_weights([rng.uniform(0.1, 1, w.shape) * rng.choice([-1, 1], w.shape) ** (w.ndim - 1) for w in model.get_weights()])
    inputs = rng.normal(size=(16, len(FEATURES))).astype("f4")
    exported = to_onnx(lambda rows: model(rows, training=False), inputs=[("rows", len(FEATURES))], model_name="keras")
    with open(os.path.join(folder, "keras-by-jax.onnx"), "wb") as out:
        out.write(exported.SerializeToString())
    outputs = np.asarray(model(inputs)).ravel().tolist()
    facts = {"file": "keras-by-jax.onnx", "inputs": inputs.tolist(), "outputs": outputs, "options": {"features": FEATURES}}
    with open(os.path.join(folder, "keras-by-jax-onnx.json"), "w") as out:
        json.dump(facts, out)
        out.write("\n")


if __name__ == "__main__":
    main(sys.argv[1])
