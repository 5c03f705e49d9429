// Requests and answers that were, or could have been, too much. Each costs the hub little, and none is an error of its own.
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { bytesOf, readCorpus, type CorpusEntry } from './support/corpus.js';
import { aChat, CHAT, until } from './support/calls.js';
import { shapeProblem } from './support/error-answer.js';
import { startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { costOf } from './support/process-cost.js';
import { rawRequest } from './support/raw-request.js';
import { startRemoteHub, type RemoteHub } from './support/remote-hub.js';

const CPU_MILLISECONDS = 250;
const MEMORY_MEGABYTES = 100;

const CORPUS = readCorpus();

describe('the corpus', () => {
  let hub: RemoteHub;
  let provider: FakeProvider;
  let alias: string;
  const cost = (): ReturnType<typeof costOf> => costOf(hub.process.child.pid);

  beforeAll(async () => {
    [hub, provider] = await Promise.all([startRemoteHub(), startFakeProvider()]);
    alias = String((await hub.save({ api_base: provider.url }))['alias']);
    await until(
      async () => (await hub.ask('POST', CHAT, aChat(alias))).status,
      (status) => status === 200,
    );
  });
  afterAll(async () => {
    await hub.close();
    await provider.close();
  });

  const play = async (entry: CorpusEntry): Promise<{ status: number; problem: string | null }> => {
    const { method, path, body, base64, encoding, type = 'application/json', provider: answer } = entry;
    const bytes = base64 === undefined ? body && bytesOf(body, alias, encoding) : Buffer.from(base64, 'base64');
    if (answer) {
      const said = bytesOf(answer, alias, entry.providerEncoding);
      provider.answerWith((_call, response) => {
        const coding = entry.providerEncoding && { 'content-encoding': entry.providerEncoding };
        response.writeHead(200, { 'content-type': 'application/json', ...coding }).end(said);
      });
    }
    const result = await rawRequest(hub.url, {
      method,
      path,
      headers: {
        authorization: `Bearer ${hub.adminToken}`,
        ...(bytes && { 'content-type': type }),
        ...(encoding && { 'content-encoding': encoding }),
        ...entry.headers,
      },
      body: bytes,
    });
    const where = result.text.startsWith('{"type":"urn:') ? '/' : path;
    return { status: result.status, problem: result.status < 400 ? null : shapeProblem(where, result) };
  };

  const isRight = ({ status: allowed }: CorpusEntry, status: number): boolean =>
    allowed ? allowed.includes(status) : status < 500;

  it.each(CORPUS)('$file is answered as it should be, cheaply', async ({ file, entries }) => {
    let dearest = 0;
    const wrong: object[] = [];
    for (const entry of entries) {
      const start = cost();
      const { status, problem } = await play(entry);
      const end = cost();
      const cpu = start && end ? end.cpuMilliseconds - start.cpuMilliseconds : 0;
      const megabytes = start && end ? end.residentMegabytes - start.residentMegabytes : 0;
      const { name, path } = entry;
      if (!isRight(entry, status) || problem) wrong.push({ name, path, status, problem });
      if (cpu > CPU_MILLISECONDS) wrong.push({ name, path, cpu });
      if (megabytes > MEMORY_MEGABYTES) wrong.push({ name, path, megabytes });
      dearest = Math.max(dearest, cpu);
    }
    process.stdout.write(`corpus: ${file}, at most ${dearest} ms of CPU for one\n`);
    expect(wrong).toEqual([]);
    expect((await hub.ask('GET', '/health/live')).status).toBe(200);
  });

  it('has something in every file, and left no error behind', () => {
    expect(CORPUS.map(({ entries }) => entries.length).every((count) => count > 0)).toBe(true);
    expect(hub.process.output()).not.toMatch(/"level":"(?:error|fatal)"|internal_error/);
  });
});
