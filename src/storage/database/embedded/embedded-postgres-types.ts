export interface EmbeddedPostgresOptions {
  /** Created with mode 0700 when missing. The database lives below it, or where its `postgres-location` says. */
  readonly dataDir: string;
  /** Created when missing; `ai_model_hub` unless told. */
  readonly database?: string;
  /** Progress for a human, one line at a time. */
  readonly report: (line: string) => void;
}

/** As `pg` and TypeORM take it. */
export interface EmbeddedPostgresConnection {
  /** The directory of the unix socket. */
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly database: string;
  /** None: the socket's directory lets nobody else in. Kept for a system without unix sockets. */
  readonly password?: string;
}

/** A running server that this process owns. */
export interface EmbeddedPostgres {
  readonly connection: EmbeddedPostgresConnection;
  /** Where the server's files are. */
  readonly directory: string;
  /** Whether it runs and is owned by this process; false while it is brought back. */
  readonly isUp: boolean;
  /** How many times it went away and was brought back. */
  readonly restarts: number;
  /**
   * Stops the server, last of all, after every pool is closed. May be called more than once. Until then the owner
   * session keeps this process alive.
   */
  stop(): Promise<void>;
}
