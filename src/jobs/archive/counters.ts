// What an archiver tells of itself: plain numbers, exported by whoever serves metrics.

export interface ArchiveCounters {
  /** Records in parts that this process wrote. */
  rows: number;
  parts: number;
  /** Of Parquet files and indexes. */
  bytes: number;
  /** Records that were in files already when they came again, after a crash. */
  rowsKnown: number;
  /** Parts in which some record did not fit the columns. */
  partsWithUnread: number;
  /** What went wrong and was begun again. */
  troubles: number;
  compactions: number;
  /** Days that went because of their age. */
  daysRemoved: number;
}

export interface ArchiveGauges {
  /** Records of the log's partitions at hand that are not in files yet. */
  readonly lagRecords: number;
  readonly heldRows: number;
  readonly heldBytes: number;
  /** Age of the oldest record that was taken and is in no file yet, ms; 0 where there is none. */
  readonly oldestUnarchivedMs: number;
}

export function noCounts(): ArchiveCounters {
  return {
    ...{ rows: 0, parts: 0, bytes: 0, rowsKnown: 0, partsWithUnread: 0, troubles: 0, compactions: 0, daysRemoved: 0 },
  };
}
