"""The obvious alternative to `worker`, measured by bench/kafka.ts: a Python consumer that calls a Keras model.

    python kafka_peer.py BROKERS TOPIC OUTPUT_TOPIC BATCH SECONDS

Reads transactions (JSON) from the beginning of the topic, makes the few inputs that need no history, asks a 64-32-1 network with
random weights, and writes a decision per transaction. BATCH 1 is one `model.predict` per message; more is one per so many messages.
Delivery is what the client gives by itself (at least once). Prints one line of JSON; compiling is not counted.
"""

import json
import sys
import time
import uuid
from datetime import datetime, timedelta, timezone
from zlib import crc32

import keras
import numpy
from confluent_kafka import Consumer, Producer, TopicPartition

LIMA = timezone(timedelta(hours=-5))
INPUTS = 14
QUIET_SECONDS = 5


def code(value) -> float:
    """A category as a number between 0 and 1; 0 where it is missing."""
    return 0.0 if value is None else (crc32(value.encode()) % 1000 + 1) / 1001


def inputs_of(transaction: dict) -> list:
    when = datetime.fromtimestamp(transaction["eventTimeMs"] / 1000, LIMA)
    return [
        numpy.log1p(abs(transaction["amountMinor"])),
        when.hour / 24,
        when.weekday() / 7,
        when.day / 31,
        float(when.weekday() >= 5),
        code(transaction["operation"]),
        code(transaction.get("rail")),
        code(transaction.get("channel")),
        code(transaction["currency"]),
        code(transaction.get("mcc")),
        code(transaction.get("ubigeo")),
        transaction.get("latitude", 0.0) / 90,
        transaction.get("longitude", 0.0) / 180,
        code(transaction.get("country")),
    ]


def build() -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((INPUTS,)),
            keras.layers.Dense(64, activation="relu"),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(loss="binary_crossentropy")
    return model


def main(brokers: str, topic: str, output_topic: str, batch: int, seconds: float) -> None:
    keras.utils.set_random_seed(1)
    model = build()
    group = f"peer-{uuid.uuid4()}"
    consumer = Consumer({"bootstrap.servers": brokers, "group.id": group, "auto.offset.reset": "earliest"})
    producer = Producer({"bootstrap.servers": brokers, "linger.ms": 5})
    consumer.subscribe([topic])

    def predict(rows: list) -> numpy.ndarray:
        return model.predict(numpy.asarray(rows, dtype="float32"), batch_size=batch, verbose=0)[:, 0]

    def take() -> int:
        messages = [message for message in consumer.consume(batch, 1.0) if message.error() is None]
        if not messages:
            return 0
        transactions = [json.loads(message.value()) for message in messages]
        risks = predict([inputs_of(transaction) for transaction in transactions])
        for transaction, risk in zip(transactions, risks):
            action = "review" if risk >= 0.5 else "approve"
            decision = {"id": transaction["id"], "risk": float(risk), "action": action}
            producer.produce(output_topic, json.dumps(decision).encode(), transaction["id"].encode())
        producer.poll(0)
        return len(messages)

    predict([[0.0] * INPUTS] * batch)
    waiting_since = time.perf_counter()
    while take() == 0:
        if time.perf_counter() - waiting_since > 60:
            raise SystemExit(f"nothing came from {topic}")
    taken, started = 0, time.perf_counter()
    last = started
    while (now := time.perf_counter()) - started < seconds:
        count = take()
        taken += count
        if count > 0:
            last = now
        elif now - last > QUIET_SECONDS:
            # Faster than the topic is long: from the beginning again.
            consumer.assign([TopicPartition(topic, one.partition, 0) for one in consumer.assignment()])
    producer.flush()
    rate = taken / (time.perf_counter() - started)
    consumer.close()
    print(json.dumps({"transactionsPerSecond": rate}))


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(*arguments[:3], int(arguments[3]), float(arguments[4]))
