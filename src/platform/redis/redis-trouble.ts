/** Why Redis cannot be used. `reason` may be logged and shown: it holds nothing of what Redis or the network said. */
export interface RedisTrouble {
  kind: string;
  reason: string;
}

/** No answer within the deadline. */
export class RedisSilence extends Error {
  override readonly name = 'RedisSilence';
}

/** The other side ended the connection. */
export class RedisClosed extends Error {
  override readonly name = 'RedisClosed';
}

const REFUSED = 'it refuses the user or the password of REDIS_URL';

/** By the first word of an error that Redis answers. */
const REPLIES: Partial<Record<string, string>> = {
  WRONGPASS: REFUSED,
  NOAUTH: REFUSED,
  NOPERM:
    'its user may not do what the hub needs: +@connection +info +eval +evalsha +@read +@write +time on keys hub:*',
  READONLY: 'it is a replica, which takes no writes: REDIS_URL must name the primary',
  OOM: 'its memory is full: raise maxmemory, or let it evict keys (maxmemory-policy)',
  MISCONF: 'it takes no writes because it cannot save to its disk',
  LOADING: 'it is still loading its data',
  MASTERDOWN: 'it is a replica without its primary',
  NOREPLICAS: 'it takes no writes because it has too few replicas',
  BUSY: 'it is busy with a script of somebody else',
  CLUSTERDOWN: 'its cluster is down',
  MOVED: 'it is a part of a cluster: REDIS_URL must name a Redis that has all keys',
};

const wordOf = (message: string): string => /^(?:Ready check failed: )?([A-Z]{2,20})(?: |$)/.exec(message)?.[1] ?? '';

const codeOf = (error: unknown): string => {
  const { code } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && /^[A-Z][A-Z0-9_]{2,40}$/.test(code) ? code : '';
};

export const troubleOf = (error: unknown): RedisTrouble => {
  if (error instanceof RedisSilence) return { kind: 'silent', reason: 'it does not answer in time' };
  if (error instanceof RedisClosed) return { kind: 'closed', reason: 'it closed the connection' };
  const message = error instanceof Error ? error.message : '';
  const word = wordOf(message);
  const reply = REPLIES[word];
  if (reply !== undefined) return { kind: word, reason: reply };
  const code = codeOf(error);
  if (code) return { kind: code, reason: `it cannot be reached (${code})` };
  // The client's own words for what was under way when a connection broke.
  if (/connection is closed|stream isn't writeable|max retries per request/i.test(message)) {
    return { kind: 'closed', reason: 'it closed the connection' };
  }
  return { kind: 'other', reason: `it answers with an error${word && ` (${word})`}` };
};

/** Of one key alone, such as a value of another type under a name of ours: says nothing of Redis. */
export const isOfOneKey = (error: unknown): boolean => error instanceof Error && error.message.startsWith('WRONGTYPE');
