import { Agent, request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { aChat, CHAT } from './calls.js';

/**
 * What became of a request. `answered`: a whole answer; `told`: a stream that said in an event that it was ended;
 * `refused`: 503 shutting_down; `unconnected`: nobody listened, so nothing was taken; `failed`: another status; `lost`: it
 * was taken on an open connection, and there is no complete answer.
 */
export type Outcome = 'answered' | 'told' | 'refused' | 'unconnected' | 'failed' | 'lost';

export interface Asked {
  outcome: Outcome;
  detail: string;
}

/** Who keeps his connection, and how long he thinks between two requests. */
export interface CallerHabits {
  keepsAlive: boolean;
  streams: boolean;
  thinks: () => number;
}

export interface Load {
  readonly counts: Readonly<Record<Outcome, number>>;
  /** Of what was lost or failed. */
  readonly details: readonly string[];
  /** Resolves when every caller has his last answer. */
  stop(): Promise<void>;
}

const ANSWER_MILLISECONDS = 20_000;

const judge = (status: number, text: string, isStream: boolean): Asked => {
  const detail = `${status} ${text.slice(-200)}`;
  if (status === 503 && text.includes('"shutting_down"')) return { outcome: 'refused', detail };
  if (status !== 200) return { outcome: 'failed', detail };
  if (!isStream) return { outcome: 'answered', detail };
  if (text.trimEnd().endsWith('data: [DONE]')) return { outcome: 'answered', detail };
  return { outcome: text.includes('"code":"shutting_down"') ? 'told' : 'lost', detail };
};

const readAnswer = (response: IncomingMessage, isStream: boolean): Promise<Asked> =>
  new Promise((resolve) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (piece: string) => (text += piece));
    response.on('error', () => undefined);
    response.on('close', () => {
      if (response.complete) resolve(judge(response.statusCode ?? 0, text, isStream));
      else resolve({ outcome: 'lost', detail: `broken off after ${text.length} characters` });
    });
  });

/** One call, by plain `node:http`: nothing is repeated. */
export const ask = (url: string, token: string, body: object, agent: Agent | false): Promise<Asked> =>
  new Promise((resolve) => {
    const text = JSON.stringify(body);
    const request = httpRequest(new URL(CHAT, url), {
      method: 'POST',
      agent,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(text),
        authorization: `Bearer ${token}`,
      },
    });
    request.setTimeout(ANSWER_MILLISECONDS, () => request.destroy(new Error('no answer')));
    request.on('error', (error: NodeJS.ErrnoException) => {
      const outcome = error.code === 'ECONNREFUSED' ? 'unconnected' : 'lost';
      resolve({
        outcome,
        detail: `${error.code ?? error.message}${request.reusedSocket ? ' on a kept connection' : ''}`,
      });
    });
    request.on('response', (response) => void readAnswer(response, 'stream' in body).then(resolve));
    request.end(text);
  });

/** Callers who ask again as soon as they have their answer, until nobody listens or they are stopped. */
export const startLoad = (
  askOnce: (body: object, agent: Agent | false) => Promise<Asked>,
  alias: string,
  callers: readonly CallerHabits[],
): Load => {
  const counts: Record<Outcome, number> = { answered: 0, told: 0, refused: 0, unconnected: 0, failed: 0, lost: 0 };
  const details: string[] = [];
  const stopping = new AbortController();
  const work = async ({ keepsAlive, streams, thinks }: CallerHabits): Promise<void> => {
    const agent = keepsAlive ? new Agent({ keepAlive: true, maxSockets: 1 }) : false;
    while (!stopping.signal.aborted) {
      const { outcome, detail } = await askOnce(aChat(alias, streams ? { stream: true } : {}), agent);
      counts[outcome] += 1;
      if (outcome === 'lost' || outcome === 'failed') details.push(detail);
      if (outcome === 'unconnected') break;
      await sleep(thinks());
    }
    if (agent) agent.destroy();
  };
  const working = callers.map(work);
  return {
    counts,
    details,
    stop: async () => {
      stopping.abort();
      await Promise.all(working);
    },
  };
};
