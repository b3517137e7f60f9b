// What an archive keeps data with, besides the log and the object store.
import type { ArchiveSql, Scratch } from '../../ports/archive.ts';

/** What it keeps data with. */
export interface ArchiveTools {
  readonly sql: ArchiveSql;
  readonly scratch: Scratch;
}
