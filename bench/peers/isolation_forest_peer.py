"""scikit-learn's isolation forest beside ours: answers each line on stdin with one JSON line on stdout.

`fit-score SEED` fits and scores the matrix in FOLDER/matrix.f32 and gives the seconds of both; `export` writes the last
forest's nodes and scores into FOLDER as raw little-endian arrays.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
from sklearn.ensemble import IsolationForest

folder = Path(sys.argv[1])
columns, trees, subsample = (int(argument) for argument in sys.argv[2:5])
matrix = np.fromfile(folder / "matrix.f32", dtype="<f4").reshape(-1, columns)


def fit_score(seed):
    forest = IsolationForest(n_estimators=trees, max_samples=subsample, random_state=seed)
    start = time.perf_counter()
    forest.fit(matrix)
    fitted = time.perf_counter()
    scores = -forest.score_samples(matrix)
    scored = time.perf_counter()
    return forest, scores, {"fitSeconds": fitted - start, "scoreSeconds": scored - fitted}


def export(forest, scores):
    nodes = [estimator.tree_ for estimator in forest.estimators_]

    def write(name, dtype, arrays):
        np.concatenate(arrays).astype(dtype).tofile(folder / name)

    write("nodes.i32", "<i4", [[tree.node_count] for tree in nodes])
    write("left.i32", "<i4", [tree.children_left for tree in nodes])
    write("right.i32", "<i4", [tree.children_right for tree in nodes])
    write("column.i32", "<i4", [tree.feature for tree in nodes])
    write("samples.i32", "<i4", [tree.n_node_samples for tree in nodes])
    write("threshold.f64", "<f8", [tree.threshold for tree in nodes])
    scores.astype("<f8").tofile(folder / "scores.f64")
    return {"trees": len(nodes)}


forest, scores = None, None
for line in sys.stdin:
    command, *arguments = line.split()
    if command == "fit-score":
        forest, scores, answer = fit_score(int(arguments[0]))
    else:
        answer = export(forest, scores)
    print(json.dumps(answer), flush=True)
