// What an archive needs of the outside world besides the log and the object store (ports.ts); adapters/archive implements it.

/** A database that reads and writes Parquet files on this machine's disks, on threads of its own. */
export interface ArchiveSql {
  /**
   * Rows of cells. Waits where as many statements as may be are under way.
   *
   * @throws InputError SQL_REFUSED where the statement or the data is at fault; anything else where a file or the disk is
   */
  run(text: string, parameters?: readonly (string | number)[]): Promise<readonly (readonly unknown[])[]>;
  close(): Promise<void>;
}

/** Space on this machine's disk for work that a crash may leave behind. */
export interface Scratch {
  folder(): Promise<ScratchFolder>;
}

export interface ScratchFolder {
  path(name: string): string;
  /** Durability is not needed: what it is for can be made again. */
  write(name: string, chunks: Iterable<Uint8Array>): Promise<void>;
  read(name: string): Promise<Uint8Array>;
  /** Of files in a folder within. */
  names(folder: string): Promise<string[]>;
  /** With all that is in it. */
  remove(): Promise<void>;
}

/** Objects as files on this machine: the store's own, or copies in a bounded cache. */
export interface LocalObjects {
  /** Keeps the file until it is released; null where there is no such object. */
  open(key: string): Promise<LocalObject | null>;
}

export interface LocalObject {
  readonly path: string;
  release(): void;
}

/** Row numbers by the hash of an id. */
export interface IdIndex {
  /**
   * Rows whose id may be this one: those of other ids with the same hash, too.
   *
   * @param path of a file of sorted entries: 8 bytes of hash, 4 of row number, both big-endian
   */
  rowsOf(path: string, id: string): Promise<readonly number[]>;
}
