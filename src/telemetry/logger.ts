// Structured logs: one JSON object a line, without personal data.
//
// What is logged is named by the caller field by field; should a whole transaction ever get in, the fields that can identify
// a person are taken out by name.
import { type Logger, pino } from 'pino';

export type { Logger } from 'pino';

const PERSONAL = [
  ...['payerName', 'payerDocument', 'payerAccount', 'payeeName', 'payeeDocument', 'payeeAccount', 'payerId', 'payeeId'],
  ...['cardId', 'deviceId', 'ipAddress', 'concept', 'latitude', 'longitude', 'password', 'token', 'secret'],
];
const DEPTHS = ['', '*.', '*.*.'];

export const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** @param write one line with its end */
export function createLogger(level: LogLevel, write: (line: string) => void): Logger {
  const paths = DEPTHS.flatMap((depth) => PERSONAL.map((name) => `${depth}${name}`));
  return pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, redact: { paths, censor: '[removed]' } },
    { write },
  );
}
