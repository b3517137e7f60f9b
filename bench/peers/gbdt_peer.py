"""scikit-learn's HistGradientBoostingClassifier on the matrix that bench/gbdt.ts wrote.

Reads one word per line: "fit" trains and tests once and answers with one line of JSON, "quit" ends. The matrix is
converted to float64 before, so that the time is the peer's own: binning and boosting.
"""

import json
import sys
import time

import numpy
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score


def main() -> None:
    folder, train_rows, columns, rounds, leaves = sys.argv[1], *map(int, sys.argv[2:6])
    values = numpy.fromfile(f"{folder}/values.f32", dtype="<f4").reshape(-1, columns).astype(numpy.float64)
    labels = numpy.fromfile(f"{folder}/labels.u8", dtype=numpy.uint8)
    train, test = slice(0, train_rows), slice(train_rows, None)
    print("ready", flush=True)
    for line in sys.stdin:
        if line.strip() != "fit":
            break
        model = HistGradientBoostingClassifier(
            max_iter=rounds, max_leaf_nodes=leaves, max_bins=255, learning_rate=0.1, early_stopping=False
        )
        start, cpu = time.perf_counter(), time.process_time()
        model.fit(values[train], labels[train])
        fitted, fitted_cpu = time.perf_counter(), time.process_time()
        scores = model.predict_proba(values[test])[:, 1]
        scored = time.perf_counter()
        answer = {
            "fitSeconds": fitted - start,
            "fitCpuSeconds": fitted_cpu - cpu,
            "scoreSeconds": scored - fitted,
            "aucRoc": roc_auc_score(labels[test], scores),
        }
        print(json.dumps(answer), flush=True)


main()
