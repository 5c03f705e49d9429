/** Asks under the config's address; settles with the parsed answer. */
export type Get = (path: string) => Promise<unknown>;
