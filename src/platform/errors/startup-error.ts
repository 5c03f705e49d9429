/** EX_CONFIG of sysexits.h: the operator must change something before another start makes sense. */
export const EXIT_CONFIGURATION = 78;
/** EX_UNAVAILABLE: something the process needs is not there now. */
export const EXIT_UNAVAILABLE = 69;

/** Stops the start with one line for the operator and an exit code. Never carries a value, only names. */
export class StartupError extends Error {
  constructor(
    message: string,
    readonly exitCode: number = EXIT_CONFIGURATION,
  ) {
    super(message);
  }
}
