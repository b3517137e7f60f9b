"""ONNX models as scikit-learn, XGBoost, LightGBM and PyTorch users export them."""

import os

import lightgbm
import numpy as np
import onnx
import torch
import xgboost
from onnxmltools.convert import convert_lightgbm, convert_xgboost
from onnxmltools.convert.common.data_types import FloatTensorType as BoosterFloats
from skl2onnx import to_onnx
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier, IsolationForest, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from torch import nn

FEATURES = ["amount", "count", "ratio", "age", "hour", "flag"]


def data(rng, rows):
    x = rng.normal(size=(rows, len(FEATURES))).astype("f4")
    return x, (x[:, 0] + x[:, 1] * x[:, 2] + 0.3 * rng.normal(size=rows) > 0.8).astype(int)


def numbers_for_truths():
    """skl2onnx writes HistGradientBoosting's nodes with truth values, which protobuf no longer takes for numbers."""
    original = onnx.helper.make_attribute

    def make_attribute(key, value, *args, **kwargs):
        if isinstance(value, list) and any(isinstance(each, (bool, np.bool_)) for each in value):
            value = [int(each) for each in value]
        return original(key, value, *args, **kwargs)

    onnx.helper.make_attribute = make_attribute


def float32_at_most(thresholds):
    """Inputs are float32, so a row is at most a float64 threshold where it is at most the float32 below that."""
    rounded = thresholds.astype("f4")
    return np.where(rounded > thresholds, np.nextafter(rounded, np.float32(-np.inf)), rounded)


def trees_of(forest):
    """The nodes of all trees as Centinela has them: breadth first, siblings side by side, a leaf its own left child."""
    nodes = {"treeStarts": [0], "leftChildren": [], "thresholds": [], "samples": [], "splitColumns": []}
    for estimator in forest.estimators_:
        tree = estimator.tree_
        thresholds = float32_at_most(tree.threshold)
        order = [0]
        for place, node in enumerate(order):
            is_leaf = tree.children_left[node] < 0
            nodes["leftChildren"].append(place if is_leaf else len(order))
            nodes["thresholds"].append(None if is_leaf else float(thresholds[node]))
            nodes["samples"].append(int(tree.n_node_samples[node]))
            nodes["splitColumns"].append(0 if is_leaf else int(tree.feature[node]))
            if not is_leaf:
                order += [tree.children_left[node], tree.children_right[node]]
        nodes["treeStarts"].append(len(nodes["samples"]))
    return {**nodes, "sampleSize": int(forest.max_samples_)}


def make_onnx_fixtures(folder, rng, write):
    x, y = data(rng, 300)
    unseen, _ = data(rng, 16)
    with_missing = unseen.copy()
    with_missing[rng.random(unseen.shape) < 0.2] = np.nan

    def store(name, model_bytes, inputs, outputs, **options):
        with open(os.path.join(folder, f"{name}.onnx"), "wb") as out:
            out.write(model_bytes)
        write(folder, f"{name}.onnx", inputs, outputs, features=FEATURES, **options)

    classifiers = {
        "sklearn-logistic": make_pipeline(StandardScaler(), LogisticRegression()),
        "sklearn-boosting": GradientBoostingClassifier(n_estimators=8, max_depth=3, random_state=1),
        "sklearn-forest": RandomForestClassifier(6, max_depth=4, random_state=1),
        "sklearn-mlp": make_pipeline(StandardScaler(), MLPClassifier((8,), max_iter=200, random_state=1)),
    }
    for name, model in classifiers.items():
        model.fit(x, y)
        exported = to_onnx(model, x[:1], options={"zipmap": False}, target_opset=15)
        store(name, exported.SerializeToString(), unseen, model.predict_proba(unseen)[:, 1])
    zipped = to_onnx(classifiers["sklearn-logistic"], x[:1], target_opset=15)
    store("sklearn-zipmap", zipped.SerializeToString(), unseen, [], refused="zipmap")

    numbers_for_truths()
    histograms = HistGradientBoostingClassifier(max_iter=8, max_leaf_nodes=6, random_state=1)
    histograms.fit(np.where(rng.random(x.shape) < 0.1, np.nan, x), y)
    exported = to_onnx(histograms, x[:1], options={"zipmap": False}, target_opset={"": 15, "ai.onnx.ml": 3})
    store("sklearn-histograms", exported.SerializeToString(), with_missing, histograms.predict_proba(with_missing)[:, 1])

    forest = IsolationForest(n_estimators=10, max_samples=32, random_state=1).fit(x)
    exported = to_onnx(forest, x[:1], options={"score_samples": True}, target_opset={"": 15, "ai.onnx.ml": 3})
    for output, values in (("scores", forest.decision_function(unseen)), ("score_samples", forest.score_samples(unseen))):
        name = "sklearn-isolation-forest" if output == "scores" else "sklearn-isolation-samples"
        trees = trees_of(forest) if output == "score_samples" else None
        store(name, exported.SerializeToString(), unseen, -values, output=output, negate=True, trees=trees)

    booster = xgboost.XGBClassifier(n_estimators=8, max_depth=3, tree_method="hist", nthread=1).fit(np.where(rng.random(x.shape) < 0.1, np.nan, x), y)
    # The converter wants features called f0, f1 …, as XGBoost calls them where they have no names.
    exported = convert_xgboost(booster, initial_types=[("input", BoosterFloats([None, len(FEATURES)]))], target_opset=15)
    store("xgboost", exported.SerializeToString(), with_missing, booster.predict_proba(with_missing)[:, 1])

    light = lightgbm.LGBMClassifier(n_estimators=8, num_leaves=6, n_jobs=1, verbose=-1).fit(x, y)
    exported = convert_lightgbm(light, initial_types=[("input", BoosterFloats([None, len(FEATURES)]))], zipmap=False, target_opset=15)
    store("lightgbm", exported.SerializeToString(), unseen, light.predict_proba(unseen)[:, 1])

    network = nn.Sequential(nn.Linear(len(FEATURES), 8), nn.ReLU(), nn.Linear(8, 1)).eval()
    file = os.path.join(folder, "torch-logits.onnx")
    torch.onnx.export(network, torch.zeros(2, len(FEATURES)), file, input_names=["x"], output_names=["logits"],
                      dynamic_axes={"x": {0: "rows"}, "logits": {0: "rows"}}, opset_version=13)
    with torch.no_grad():
        probabilities = torch.sigmoid(network(torch.from_numpy(unseen))).numpy()
    write(folder, "torch-logits.onnx", unseen, probabilities, features=FEATURES, logits=True)
