// The obvious alternative in the same run: a Python consumer that calls a Keras model (python/kafka_peer.py).
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { type PythonEnvironment, pythonOf, pythonVariables } from '../python-environment.ts';
import { ROOT } from './prepared-model.ts';

export const KAFKA_PEER: PythonEnvironment = { name: 'kafka-peer', requirements: 'requirements-kafka-peer.txt' };
/** Above what it is asked to measure. */
const START_LIMIT_MS = 180_000;

export interface PeerOptions {
  readonly brokers: string;
  readonly topic: string;
  readonly outputTopic: string;
  /** Messages that one call of `predict` takes. */
  readonly batch: number;
  readonly seconds: number;
}

/** @returns transactions decided a second */
export function runPeer({ brokers, topic, outputTopic, batch, seconds }: PeerOptions): Promise<number> {
  const args = [brokers, topic, outputTopic, batch, seconds].map(String);
  const child = spawn(pythonOf(KAFKA_PEER), [join(ROOT, 'python', 'kafka_peer.py'), ...args], {
    env: { ...pythonVariables(), KERAS_BACKEND: 'jax', JAX_PLATFORMS: 'cpu', PYTHONWARNINGS: 'ignore' },
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: seconds * 1000 + START_LIMIT_MS,
  });
  let output = '';
  let complaint = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-2000);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve((JSON.parse(output) as { transactionsPerSecond: number }).transactionsPerSecond);
      else reject(new Error(`python/kafka_peer.py ended with ${signal ?? code}: ${complaint}`));
    });
  });
}
