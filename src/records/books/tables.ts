// How far the histories that lie outside of the records (rules, lists) are in the audit.

export interface BookTables {
  audited_books: {
    /** `rules`, `lists`. */
    book: string;
    /** The last entry of its history that is in the audit, and its hash. */
    number: number;
    hash: string;
  };
}
