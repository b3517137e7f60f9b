// The commands as --help lists them: names, arguments and what they are for. Apart from what they do, so that listing them or
// running one does not load all others.

/** A command but for its options and what it does. */
export interface CommandOutline {
  readonly name: string;
  readonly summary: string;
  /** Positional arguments as shown in --help, for example `FILE`. */
  readonly positional: readonly string[];
}

export const OUTLINES = {
  demo: {
    name: 'demo',
    summary: 'Simulate a Peruvian bank, learn its first weeks, and decide the next days live.',
    positional: [],
  },
  detect: {
    name: 'detect',
    summary: 'Find the unusual transactions of a file and say why.',
    positional: ['FILE'],
  },
  simulate: {
    name: 'simulate',
    summary: 'Write labelled Peruvian transactions (.csv .csv.gz .parquet .ndjson by extension).',
    positional: [],
  },
  train: {
    name: 'train',
    summary: 'Fit a model on a file, measure it on later time, register it.',
    positional: ['FILE'],
  },
  score: {
    name: 'score',
    summary: 'Decide the transactions of a file with a registered model and rules.',
    positional: ['FILE'],
  },
  evaluate: {
    name: 'evaluate',
    summary: 'Measure detectors by a protocol: on a labelled FILE of transactions, or (adbench) on a folder of sets.',
    positional: ['FILE|DIR'],
  },
  replay: {
    name: 'replay',
    summary: 'Replay the history of a FILE through candidate rules, thresholds or a model, next to what is live.',
    positional: ['FILE'],
  },
  features: {
    name: 'features',
    summary: 'Write the feature matrix of a file, row for row.',
    positional: ['FILE'],
  },
  models: {
    name: 'models',
    summary: 'List the registered models; export ID to Keras, PyTorch, ONNX; import FILE from them.',
    positional: ['[export|import]', '[ID|FILE]'],
  },
  rules: {
    name: 'rules',
    summary:
      'Check rules and their tests (check DIR); what they may speak of (names); propose FILE, approve ID@VERSION, ' +
      'reject, retire, rollback, snooze, override; list, show, history; what they are worth on a FILE of history (health) ' +
      'and new ones mined from it (suggest).',
    positional: ['ACTION', '[DIR|FILE|ID]'],
  },
  lists: {
    name: 'lists',
    summary:
      'Kept lists: show [LIST], add LIST VALUE, remove LIST VALUE, import LIST FILE (CSV, OFAC, UN), find LIST NAME.',
    positional: ['ACTION', '[LIST]', '[VALUE|FILE]'],
  },
  serve: {
    name: 'serve',
    summary: 'Serve the HTTP interface: decide transactions, work alerts and cases, audited.',
    positional: [],
  },
  worker: {
    name: 'worker',
    summary: 'Decide the transactions of a log as they come: features, models, rules; exactly once.',
    positional: [],
  },
  records: {
    name: 'records',
    summary:
      'The database of records: backup FILE writes a copy (NDJSON, gzip, with hashes), restore FILE puts one back into an empty ' +
      'database, embedded or PostgreSQL, whichever it came from.',
    positional: ['backup|restore', 'FILE'],
  },
  keys: {
    name: 'keys',
    summary:
      'Master keys: list those that wrap something, rewrap all under the current one, retire an older one that nothing needs ' +
      'any more (while the service runs on PostgreSQL; with the embedded database while it is stopped).',
    positional: ['list|rewrap|retire', '[KEY]'],
  },
  retention: {
    name: 'retention',
    summary:
      'Delete what need not be kept (closed cases, their alerts and attachments, labels and more, by the table of ' +
      'docs/privacy.md) as serve does once a day; --dry-run says what would go; settings shows for how many months each class ' +
      'is kept, and --set changes it.',
    positional: ['[settings]'],
  },
  archive: {
    name: 'archive',
    summary: 'Decisions in Parquet files by day: run writes those of a log, compact DAY, find ID.',
    positional: ['[ACTION]', '[DAY|ID]'],
  },
  audit: {
    name: 'audit',
    summary:
      'The audit trail: verify that it is what was written; export old entries to an archive, and --prune those that the ' +
      'database need not have; the public keys it is signed with (keys); decisions made again from their evidence (replay); ' +
      'going on without a history of rules or lists that is lost (accept-loss).',
    positional: ['verify|export|keys|replay|accept-loss', '[FILE|BOOK]'],
  },
  topics: {
    name: 'topics',
    summary: 'Topics on Kafka: apply makes those of Centinela that are missing, list shows what is there.',
    positional: ['ACTION'],
  },
  deadLetters: {
    name: 'dead-letters',
    summary: 'Records that could not be processed: list them by reason, replay them once the cause is gone.',
    positional: ['ACTION'],
  },
  bench: {
    name: 'bench',
    summary: 'Run one benchmark, from a checkout of the project; without a NAME: which there are.',
    positional: ['[NAME]'],
  },
} as const satisfies Readonly<Record<string, CommandOutline>>;
