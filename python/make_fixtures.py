"""Makes the files that the TypeScript tests read: models saved by the real libraries, and what they predict.

    python make_fixtures.py FOLDER

Every model NAME.EXT comes with NAME.json: { file, inputs, outputs, options } (missing values are null). malicious/ holds
pickles that would run a program if a reader resolved what they ask for; the program would only touch a file.
"""

import json
import os
import sys
import zipfile

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
import safetensors.torch
import torch
from keras import layers
from torch import nn

from onnx_fixtures import make_onnx_fixtures

ROWS, COLUMNS = 16, 6
CATEGORIES = 5


def write(folder, file, inputs, outputs, **options):
    """Stores what a model predicts beside it."""
    as_lists = [[None if np.isnan(v) else float(v) for v in row] for row in np.asarray(inputs, "f4")]
    facts = {"file": file, "inputs": as_lists, "outputs": np.asarray(outputs, "f4").ravel().tolist(), "options": options}
    with open(os.path.join(folder, file.replace(".", "-") + ".json"), "w") as out:
        json.dump(facts, out)
        out.write("\n")


def randomise(model, rng):
    """Weights as after training: batch norms start with statistics that hide mistakes."""
    model.set_weights([rng.uniform(0.1, 1, w.shape) * rng.choice([-1, 1], w.shape) ** (w.ndim - 1) for w in model.get_weights()])


def keras_models():
    yield "sequential", keras.Sequential([
        keras.Input((COLUMNS,)),
        layers.Dense(8, activation="relu", kernel_regularizer=keras.regularizers.L2(1e-3)),
        layers.BatchNormalization(),
        layers.Dropout(0.5),
        layers.Dense(5, use_bias=False),
        layers.LeakyReLU(),
        layers.Dense(4, activation="gelu"),
        layers.Dense(1, activation="sigmoid"),
    ])
    # Activations as layers: after a batch norm, after another activation, at the end.
    yield "activations", keras.Sequential([
        keras.Input((COLUMNS,)),
        layers.Dense(7),
        layers.BatchNormalization(scale=False, epsilon=1e-2),
        layers.ReLU(),
        layers.Activation("tanh"),
        layers.BatchNormalization(center=False),
        layers.Dense(3, activation="swish"),
        layers.Dense(1),
        layers.Activation("sigmoid"),
    ])
    numbers, code, other = keras.Input((4,)), keras.Input((1,)), keras.Input((1,))
    embedded = [layers.Flatten()(layers.Embedding(CATEGORIES, units)(each)) for units, each in ((3, code), (2, other))]
    joined = layers.Concatenate()([numbers, *embedded])
    hidden = layers.Dropout(0.2)(layers.Dense(6, activation="elu")(joined))
    yield "embedding", keras.Model([numbers, code, other], layers.Dense(1, activation="sigmoid")(hidden))


def make_keras(folder, rng):
    for name, model in keras_models():
        randomise(model, rng)
        inputs = rng.normal(size=(ROWS, COLUMNS)).astype("f4")
        if name == "embedding":
            inputs[:, 4:] = rng.integers(0, CATEGORIES, (ROWS, 2))
            parts = [inputs[:, :4], inputs[:, 4:5], inputs[:, 5:]]
        else:
            parts = inputs
        outputs = model.predict(parts, verbose=0)
        for extension in ("keras", "h5"):
            file = f"keras-{name}.{extension}"
            model.save(os.path.join(folder, file))
            write(folder, file, inputs, outputs, format=extension)


def torch_sequential(*modules):
    model = nn.Sequential(*modules)
    for module in model:
        if isinstance(module, nn.BatchNorm1d):
            for tensor in (module.weight.data, module.running_mean, module.running_var):
                tensor.uniform_(0.2, 1.5)
    return model.eval()


class Named(nn.Module):
    """Modules with names instead of numbers."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(COLUMNS, 7)
        self.norm = nn.BatchNorm1d(7)
        self.last = nn.Linear(7, 1)
        self.norm.running_mean.uniform_(0.2, 1.5)
        self.norm.running_var.uniform_(0.2, 1.5)

    def forward(self, x):
        return torch.sigmoid(self.last(torch.relu(self.norm(self.first(x)))))


def make_torch(folder, rng):
    inputs = rng.normal(size=(ROWS, COLUMNS)).astype("f4")

    def predict(model):
        with torch.no_grad():
            return model(torch.from_numpy(inputs)).numpy()

    after = torch_sequential(nn.Linear(COLUMNS, 8), nn.SELU(), nn.BatchNorm1d(8), nn.Dropout(0.3), nn.Linear(8, 1), nn.Sigmoid())
    before = torch_sequential(nn.Linear(COLUMNS, 8), nn.BatchNorm1d(8), nn.GELU(), nn.Linear(8, 4), nn.Tanh(), nn.Linear(4, 1, bias=False))
    for name, model, activations in (("after", after, ["selu", "sigmoid"]), ("before", before, ["gelu", "tanh", "linear"])):
        options = {"format": "pt", "activations": activations}
        torch.save(model.state_dict(), os.path.join(folder, f"torch-{name}.pt"))
        write(folder, f"torch-{name}.pt", inputs, predict(model), **options)
        safetensors.torch.save_model(model, os.path.join(folder, f"torch-{name}.safetensors"))
        write(folder, f"torch-{name}.safetensors", inputs, predict(model), **{**options, "format": "safetensors"})
    named = Named().eval()
    checkpoint = {"epoch": 3, "state_dict": named.state_dict(), "note": "best"}
    torch.save(checkpoint, os.path.join(folder, "torch-checkpoint.pt"), pickle_protocol=4)
    options = {"format": "pt", "activations": ["relu", "sigmoid"], "activationAfter": "batch-norm"}
    write(folder, "torch-checkpoint.pt", inputs, predict(named), **options)
    # A transposed view, doubles and parameters: tensors that are not simply what lies in the file.
    state = before.state_dict()
    state["0.weight"] = nn.Parameter(state["0.weight"].T.contiguous().T)
    state["3.weight"] = state["3.weight"].double()
    torch.save(state, os.path.join(folder, "torch-views.pt"))
    write(folder, "torch-views.pt", inputs, predict(before), format="pt", activations=["gelu", "tanh", "linear"])
    torch.save(after.state_dict(), os.path.join(folder, "torch-old-format.pt"), _use_new_zipfile_serialization=False)
    torch.save(after, os.path.join(folder, "torch-whole-model.pt"))


COMMAND = "touch /tmp/centinela-was-here"


def malicious_pickles():
    """Every way there is to make Python's own reader call os.system, and some that only look for a way."""
    text = lambda value: b"X" + len(value).to_bytes(4, "little") + value.encode()
    short = lambda value: b"\x8c" + bytes([len(value)]) + value.encode()
    command = text(COMMAND)
    yield "global-reduce", b"\x80\x02cos\nsystem\n" + command + b"\x85R."
    yield "global-posix", b"\x80\x02cposix\nsystem\n" + command + b"\x85R."
    yield "global-eval", b"\x80\x02cbuiltins\neval\n" + text(f"__import__('os').system('{COMMAND}')") + b"\x85R."
    yield "stack-global", b"\x80\x04" + short("os") + short("system") + b"\x93" + command + b"\x85R."
    yield "inst", b"(" + command + b"ios\nsystem\n."
    yield "obj", b"\x80\x02(cos\nsystem\n" + command + b"o."
    yield "newobj", b"\x80\x02csubprocess\nPopen\n" + command + b"\x85\x81."
    yield "newobj-ex", b"\x80\x04csubprocess\nPopen\n)}\x92."
    yield "extension", b"\x80\x02\x82\x01."
    yield "build-dict", b"\x80\x02ccollections\nOrderedDict\n)R}" + text("__class__") + b"cos\nsystem\nsb."
    yield "build-function", b"\x80\x02ccollections\nOrderedDict\n}" + text("__call__") + text("x") + b"sb."
    yield "getattr", b"\x80\x02cbuiltins\ngetattr\ncos\n__dict__\n" + text("system") + b"\x86R."
    yield "dotted-name", b"\x80\x04" + short("collections") + short("OrderedDict.__init__.__globals__") + b"\x93."
    yield "prototype", b"\x80\x02c__proto__\nconstructor\n" + command + b"\x85R."
    yield "torch-hub", b"\x80\x02ctorch.hub\nload\n" + command + b"\x85R."
    yield "ordered-dict-of", b"\x80\x02ccollections\nOrderedDict\n" + command + b"\x85R."
    yield "persistent-text", b"\x80\x02" + command + b"Q."
    yield "persistent-line", b"P" + COMMAND.encode() + b"\n."
    yield "persistent-module", b"\x80\x02(" + text("module") + b"cos\nsystem\n" + text("0") + text("cpu") + b"K\x01tQ."
    yield "persistent-path", (
        b"\x80\x02(" + text("storage") + b"ctorch\nFloatStorage\n" + text("../../../etc/passwd") + text("cpu") + b"K\x01tQ."
    )
    yield "list-bomb", b"\x80\x02(" + b"K\x01" * 3_000_000 + b"l."
    yield "long-bomb", b"\x80\x02\x8b\xff\xff\xff\x7f" + b"\x01" * 64 + b"."
    yield "text-bomb", b"\x80\x02X\xff\xff\xff\x7fabc."
    yield "memo-bomb", b"\x80\x04N" + b"\x94" * 1_100_000 + b"."
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n((" + text("storage") + b"ctorch\nFloatStorage\n" + text("0") + text("cpu")
        + b"K\x01tQK\x00(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft(K\x00K\x00t\x89ccollections\nOrderedDict\n)RtR"
    )
    yield "tensor-bomb", b"\x80\x02}" + text("0.weight") + tensor + b"s."
    outside = tensor.replace(b"(J\xff\xff\xff\x7fJ\xff\xff\xff\x7ft(K\x00K\x00t", b"(K\x05t(K\x01t")
    yield "tensor-outside", b"\x80\x02}" + text("0.weight") + outside + b"s."


def make_malicious(folder):
    os.makedirs(folder, exist_ok=True)
    for name, pickle in malicious_pickles():
        with zipfile.ZipFile(os.path.join(folder, f"{name}.pt"), "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
            for member, content in (("a/data.pkl", pickle), ("a/data/0", b"\0\0\0\0"), ("a/version", b"3\n")):
                archive.writestr(zipfile.ZipInfo(member), content, zipfile.ZIP_DEFLATED)


if __name__ == "__main__":
    target = sys.argv[1]
    os.makedirs(target, exist_ok=True)
    torch.manual_seed(1)
    keras.utils.set_random_seed(1)
    generator = np.random.default_rng(1)
    make_keras(target, generator)
    make_torch(target, generator)
    make_malicious(os.path.join(target, "malicious"))
    make_onnx_fixtures(target, generator, write)
