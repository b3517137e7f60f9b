"""Loads in the real Keras, PyTorch and ONNX what Centinela wrote, and compares predictions.

    python check_written.py FOLDER [FIXTURES]

FOLDER holds networks by name (scripts/write-interop-samples.ts): NAME.json { inputs, outputs } and NAME.keras, .h5, .pt,
.safetensors; and in onnx/ detectors. Prints one line per check, and last "N passed, N failed, N skipped".
"""

import json
import os
import subprocess
import sys
import zipfile
from glob import glob

os.environ["KERAS_BACKEND"] = "jax"

import keras
import numpy as np
import onnx
import safetensors.torch
import torch
from onnx.reference import ReferenceEvaluator

from centinela_networks import network_module

TOLERANCE = 1e-5
MARK = "/tmp/centinela-was-here"
results = {"passed": 0, "failed": 0, "skipped": 0}


def check(name, run):
    try:
        difference = run()
        ok = bool(difference <= TOLERANCE)
        note = f"differs by {difference:.1e}"
    except Exception as error:  # A file that can't be loaded is a failed check, and the others still run.
        ok, note = False, f"{type(error).__name__}: {error}"
    results["passed" if ok else "failed"] += 1
    print(f"{'pass' if ok else 'FAIL'}  {name}: {note}")


def largest(a, b):
    return np.abs(np.asarray(a, "f8").ravel() - np.asarray(b, "f8").ravel()).max()


def predict_keras(file, inputs):
    model = keras.models.load_model(file, compile=False, safe_mode=True)
    return np.asarray(model(inputs))


def predict_torch(state, description, inputs):
    module = network_module(description)
    missing, unexpected = module.load_state_dict(state, strict=False)
    # Counters of batches, which no prediction needs, are all that may be missing.
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing), (missing, unexpected)
    with torch.no_grad():
        return module.eval()(torch.from_numpy(inputs)).numpy()


def load_torch(file):
    state = torch.load(file, weights_only=True)
    with zipfile.ZipFile(file) as archive:
        description = json.loads(archive.read("network/extra/centinela-network.json"))
    return state, description


def check_networks(folder):
    for facts in sorted(glob(os.path.join(folder, "*.json"))):
        with open(facts) as stored:
            sample = json.load(stored)
        base = facts[: -len(".json")]
        name = os.path.basename(base)
        inputs = np.asarray(sample["inputs"], "f4")
        expected = sample["outputs"]
        for extension in ("keras", "h5"):
            check(f"Keras loads {name}.{extension}", lambda: largest(predict_keras(f"{base}.{extension}", inputs), expected))

        def from_pt():
            return largest(predict_torch(*load_torch(f"{base}.pt"), inputs), expected)

        def from_safetensors():
            state = safetensors.torch.load_file(f"{base}.safetensors")
            with safetensors.safe_open(f"{base}.safetensors", "pt") as stored:
                description = json.loads(stored.metadata()["centinela.network"])
            return largest(predict_torch(state, description, inputs), expected)

        check(f"PyTorch loads {name}.pt (weights_only)", from_pt)
        check(f"safetensors loads {name}.safetensors", from_safetensors)


def check_onnx(folder):
    """By the reference implementation of ONNX, which shares no code with the runtime that is used elsewhere."""
    for file in sorted(glob(os.path.join(folder, "onnx", "*.onnx"))):
        with open(file[: -len(".onnx")] + ".json") as stored:
            sample = json.load(stored)
        inputs = np.array([[np.nan if v is None else v for v in row] for row in sample["inputs"]], "f4")

        def difference():
            model = onnx.load(file)
            onnx.checker.check_model(model, full_check=True)
            answers = ReferenceEvaluator(model).run([sample["output"]], {"inputs": inputs})[0]
            return largest(answers[:, -1], sample["outputs"])

        check(f"ONNX's reference evaluator runs {os.path.basename(file)}", difference)


def check_malice(folder):
    """That the pickles which the TypeScript tests refuse are real: Python's own reader runs their program."""

    def runs(name):
        if os.path.exists(MARK):
            os.remove(MARK)
        with zipfile.ZipFile(os.path.join(folder, f"{name}.pt")) as archive:
            content = archive.read("a/data.pkl")
        subprocess.run([sys.executable, "-c", "import pickle, sys; pickle.loads(sys.stdin.buffer.read())"], input=content, capture_output=True)
        ran = os.path.exists(MARK)
        if ran:
            os.remove(MARK)
        return 0 if ran else 1

    for name in ("global-reduce", "global-posix", "global-eval", "stack-global", "inst", "obj"):
        check(f"the pickle {name} runs its program in Python", lambda: runs(name))


if __name__ == "__main__":
    check_networks(sys.argv[1])
    check_onnx(sys.argv[1])
    if len(sys.argv) > 2:
        check_malice(os.path.join(sys.argv[2], "malicious"))
    print(f"{results['passed']} passed, {results['failed']} failed, {results['skipped']} skipped")
    sys.exit(1 if results["failed"] else 0)
