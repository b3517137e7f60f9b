"""The obvious alternative to `serve`, measured by bench/api.ts: FastAPI with scikit-learn models.

    python api_peer.py PORT CERTIFICATE KEY

One process. POST /v1/transactions takes a transaction (JSON, checked by pydantic), makes the few inputs that need no history,
asks 300 gradient-boosted trees and an isolation forest (fitted at start on random rows: their answers mean nothing, their cost
does), and answers with a decision. Nothing is written down: no history, rules, reasons, state, or durable acknowledgement.
"""

import sys
from datetime import datetime, timedelta, timezone
from zlib import crc32

import numpy
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sklearn.ensemble import HistGradientBoostingClassifier, IsolationForest

LIMA = timezone(timedelta(hours=-5))
INPUTS = 14
ROWS = 20_000


class Transaction(BaseModel):
    id: str
    eventTimeMs: int
    amountMinor: int
    currency: str
    operation: str = "transfer"
    rail: str | None = None
    channel: str | None = None
    mcc: str | None = None
    ubigeo: str | None = None
    latitude: float | None = None
    longitude: float | None = None
    country: str | None = None


def code(value: str | None) -> float:
    """A category as a number between 0 and 1; 0 where it is missing."""
    return 0.0 if value is None else (crc32(value.encode()) % 1000 + 1) / 1001


def inputs_of(transaction: Transaction) -> list[float]:
    when = datetime.fromtimestamp(transaction.eventTimeMs / 1000, LIMA)
    return [
        float(numpy.log1p(abs(transaction.amountMinor))),
        when.hour / 24,
        when.weekday() / 7,
        when.day / 31,
        float(when.weekday() >= 5),
        code(transaction.operation),
        code(transaction.rail),
        code(transaction.channel),
        code(transaction.currency),
        code(transaction.mcc),
        code(transaction.ubigeo),
        (transaction.latitude or 0.0) / 90,
        (transaction.longitude or 0.0) / 180,
        code(transaction.country),
    ]


def fit():
    random = numpy.random.default_rng(7)
    rows = random.random((ROWS, INPUTS))
    labels = (rows[:, 0] + rows[:, 1] * rows[:, 2] + random.normal(0, 0.1, ROWS) > 1.2).astype(int)
    trees = HistGradientBoostingClassifier(max_iter=300, max_leaf_nodes=31, early_stopping=False).fit(rows, labels)
    forest = IsolationForest(n_estimators=100, random_state=7).fit(rows)
    return trees, forest


TREES, FOREST = fit()
app = FastAPI()


@app.post("/v1/transactions")
def score(transaction: Transaction) -> dict:
    row = numpy.array([inputs_of(transaction)])
    risk = float(TREES.predict_proba(row)[0, 1])
    unusual = float(-FOREST.score_samples(row)[0])
    action = "review" if max(risk, unusual) > 0.6 else "approve"
    return {"id": transaction.id, "kind": "decided", "action": action, "risk": risk, "unusual": unusual}


if __name__ == "__main__":
    port, certificate, key = sys.argv[1:]
    uvicorn.run(
        app,
        host="127.0.0.1",
        port=int(port),
        ssl_certfile=certificate,
        ssl_keyfile=key,
        log_level="error",
        access_log=False,
    )
