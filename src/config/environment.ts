// The one place that reads the process's environment.

/** null where it is not set, or set to nothing. */
export function readVariable(name: string): string | null {
  return process.env[name] || null;
}
