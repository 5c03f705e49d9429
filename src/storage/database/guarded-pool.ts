import { types } from 'node:util';
import pg from 'pg';
import { DatabaseAway, type Availability } from './availability.js';

type Callback = (
  error: Error | undefined,
  client: pg.PoolClient | undefined,
  release: pg.PoolClient['release'],
) => void;

const nothingToRelease = (): void => undefined;

/**
 * A pool that gives out nothing while the database is known to be away, tells of every connection that broke, and throws
 * away those from before an outage: nobody knows whether the server at their other end still lives.
 * @param onMade called with each pool that is made
 */
export const guardedPool = (availability: Availability, onMade: (pool: pg.Pool) => void): typeof pg.Pool =>
  class GuardedPool extends pg.Pool {
    private readonly connectedIn = new WeakMap<pg.PoolClient, number>();

    constructor(config?: pg.PoolConfig) {
      super(config);
      onMade(this);
      this.on('connect', (client) => this.connectedIn.set(client, availability.outages));
      this.on('release', (error) => {
        if (types.isNativeError(error)) availability.suspect();
      });
      this.on('error', () => availability.suspect());
    }

    override connect(): Promise<pg.PoolClient>;
    override connect(callback: Callback): void;
    override connect(callback?: Callback): Promise<pg.PoolClient> | void {
      if (callback) return this.take(callback);
      return new Promise((resolve, reject) => {
        this.take((error, client) => (client ? resolve(client) : reject(error)));
      });
    }

    private take(callback: Callback): void {
      if (availability.isAway) {
        process.nextTick(callback, new DatabaseAway(), undefined, nothingToRelease);
        return;
      }
      super.connect((error, client, release) => {
        if (client && this.connectedIn.get(client) !== availability.outages) {
          release(true);
          this.take(callback);
          return;
        }
        if (error) availability.suspect();
        callback(error, client, release);
      });
    }
  };
