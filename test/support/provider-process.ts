import { spawn } from 'node:child_process';
import { once } from 'node:events';

export interface ProviderProcess {
  /** For `api_base`. */
  readonly url: string;
  stop(): void;
}

/** Kept small: it shares the machine with what is measured. */
const PROGRAM = `
const { createServer } = require('node:http');
const delay = Number(process.argv[1]);
const body = JSON.stringify({ id: 'c', object: 'chat.completion', created: 1, model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } });
const server = createServer({ keepAliveTimeout: 60000 }, (request, response) => {
  request.resume();
  request.on('end', () => setTimeout(() => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': body.length });
    response.end(body);
  }, delay));
});
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

/** A provider of its own process that answers every call after so many milliseconds. */
export const launchProvider = async (delayMilliseconds: number): Promise<ProviderProcess> => {
  const child = spawn(process.execPath, ['-e', PROGRAM, String(delayMilliseconds)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [port] = (await once(child.stdout, 'data')) as [Buffer];
  return { url: `http://127.0.0.1:${port.toString().trim()}/v1`, stop: () => void child.kill() };
};
