/** Exit codes; those above 63 are of sysexits.h. Part of the interface: scripts test them. */
export const EXIT = {
  done: 0,
  /** The hub refused, or something went wrong. */
  refused: 1,
  /** A plan has changes; only with --exit-code. */
  changes: 2,
  usage: 64,
  unavailable: 69,
  token: 77,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** Ends the command with one line (or a few) for the user and an exit code. Never carries a secret. */
export class CliError extends Error {
  constructor(
    readonly exitCode: ExitCode,
    message: string,
  ) {
    super(message);
  }
}
