"""PyTorch on the matrix that bench/network.ts wrote: the same networks, batches, optimizer and epochs, one thread.

Reads one line per task: "simple" or "complex" after "epoch" trains one more epoch; "score" and a name tests that
network; "quit" ends. Each answer is one line of JSON.
"""

import json
import sys
import time

import numpy
import torch
from torch import nn

BATCH_ROWS = 256


def build(name: str, columns: int) -> nn.Module:
    if name == "simple":
        layers = [nn.Linear(columns, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 1)]
    else:
        layers = [
            *[nn.Linear(columns, 128), nn.ReLU(), nn.Dropout(0.5)],
            *[nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.5), nn.Linear(64, 1)],
        ]
    return nn.Sequential(*layers)


def train_epoch(model, optimizer, values, labels) -> float:
    loss_of = nn.BCEWithLogitsLoss()
    model.train()
    start = time.perf_counter()
    order = torch.randperm(len(values))
    for at in range(0, len(values), BATCH_ROWS):
        rows = order[at : at + BATCH_ROWS]
        optimizer.zero_grad(set_to_none=True)
        loss = loss_of(model(values[rows]).squeeze(1), labels[rows])
        loss.backward()
        optimizer.step()
    return time.perf_counter() - start


def area_under_curve(scores: numpy.ndarray, labels: numpy.ndarray) -> float:
    order = numpy.argsort(scores, kind="stable")
    ranks = numpy.empty(len(scores))
    ranks[order] = numpy.arange(1, len(scores) + 1)
    positives = int(labels.sum())
    return float((ranks[labels == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(labels) - positives)))


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(1)
    folder, train_rows, columns = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    values = torch.from_numpy(numpy.fromfile(f"{folder}/values.f32", dtype="<f4").reshape(-1, columns))
    labels = numpy.fromfile(f"{folder}/labels.u8", dtype=numpy.uint8)
    targets = torch.from_numpy(labels.astype(numpy.float32))
    models = {name: build(name, columns) for name in ("simple", "complex")}
    optimizers = {name: torch.optim.Adam(model.parameters(), lr=1e-3, eps=1e-7) for name, model in models.items()}
    print("ready", flush=True)
    for line in sys.stdin:
        task, _, name = line.strip().partition(" ")
        if task == "epoch":
            seconds = train_epoch(models[name], optimizers[name], values[:train_rows], targets[:train_rows])
            print(json.dumps({"seconds": seconds}), flush=True)
        elif task == "score":
            models[name].eval()
            with torch.no_grad():
                start = time.perf_counter()
                parts = [models[name](values[at : at + BATCH_ROWS]) for at in range(train_rows, len(values), BATCH_ROWS)]
                seconds = time.perf_counter() - start
            scores = torch.cat(parts).squeeze(1).numpy()
            answer = {"seconds": seconds, "aucRoc": area_under_curve(scores, labels[train_rows:])}
            print(json.dumps(answer), flush=True)
        else:
            break


main()
