// What is read of what people type at the door, in UTF-16 units: more than any login or password has, and no more work than
// that for whoever sends a book.
export const MOST_LOGIN_UNITS = 256;
export const MOST_PASSWORD_UNITS = 1024;
