import type { Agent } from 'node:http';
import { Socket } from 'node:net';

const CONNECT_MILLISECONDS = 1000;

const limit = (socket: Socket): void => {
  const late = Object.assign(new Error('No connection in time'), { code: 'EHOSTUNREACH' });
  const timer = setTimeout(() => socket.destroy(late), CONNECT_MILLISECONDS);
  for (const event of ['connect', 'error', 'close']) socket.once(event, () => clearTimeout(timer));
};

/** A host that swallows packets would hold a call for its whole deadline, where a refusal tells at once. */
export const withConnectTimeout = <Kind extends Agent>(agent: Kind): Kind => {
  const createConnection = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    const socket = createConnection(options, callback);
    if (socket instanceof Socket && socket.connecting) limit(socket);
    return socket;
  };
  return agent;
};
