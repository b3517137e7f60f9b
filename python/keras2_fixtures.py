"""Makes the fixtures of Keras 2, files of its own and ONNX by tf2onnx, which npm run test:interop does not make anew: TensorFlow is a download of 200 MB.

    python3 -m venv keras2 && keras2/bin/pip install tensorflow-cpu==2.15.1 tf2onnx==1.17.0 onnx==1.16.2
    keras2/bin/python python/keras2_fixtures.py test/interop/fixtures
"""

import json
import os
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
import tf2onnx
from tensorflow import keras
from tensorflow.keras import layers

ROWS, COLUMNS = 16, 6
FEATURES = ["amount", "count", "ratio", "age", "hour", "flag"]


def models():
    yield "sequential", keras.Sequential([
        layers.Dense(8, activation="relu", input_shape=(COLUMNS,), kernel_regularizer="l2"),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Dense(5, use_bias=False),
        layers.LeakyReLU(),
        layers.Dense(4, activation="swish"),
        layers.Dense(1, activation="sigmoid"),
    ])
    inputs = keras.Input((COLUMNS,))
    hidden = layers.BatchNormalization()(layers.Dense(7, activation="tanh")(inputs))
    yield "functional", keras.Model(inputs, layers.Dense(1, activation="sigmoid")(layers.ReLU()(hidden)))


def write(folder, file, inputs, outputs, **options):
    facts = {"file": file, "inputs": inputs.tolist(), "outputs": outputs.tolist(), "options": options}
    with open(os.path.join(folder, file.replace(".", "-") + ".json"), "w") as out:
        json.dump(facts, out)
        out.write("\n")


def main(folder):
    rng = np.random.default_rng(1)
    for name, model in models():
        model.set_weights([rng.uniform(0.1, 1, w.shape) * rng.choice([-1, 1], w.shape) ** (w.ndim - 1) for w in model.get_weights()])
        inputs = rng.normal(size=(ROWS, COLUMNS)).astype("f4")
        outputs = model.predict(inputs, verbose=0).ravel()
        for extension in ("keras", "h5"):
            file = f"keras2-{name}.{extension}"
            model.save(os.path.join(folder, file))
            write(folder, file, inputs, outputs, format=extension)
        exported, _ = tf2onnx.convert.from_keras(model, opset=15)
        with open(os.path.join(folder, f"keras2-{name}.onnx"), "wb") as out:
            out.write(exported.SerializeToString())
        write(folder, f"keras2-{name}.onnx", inputs, outputs, features=FEATURES)


if __name__ == "__main__":
    main(sys.argv[1])
