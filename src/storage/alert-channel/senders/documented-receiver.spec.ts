// The receiver of docs/monitoring/alerts.md, run as it stands there, against what the hub sends.
import { spawn, type ChildProcess } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { ALERT_KINDS } from '../../../contract/alert-kinds.js';
import { CHANNEL_KINDS } from '../../../contract/alert-channel.contract.js';
import { GuardedHttpClient } from '../../../platform/http/outbound/guarded-client.js';
import { OutboundPolicy } from '../../../platform/http/outbound/outbound-policy.js';
import { parsePrivateOrigins } from '../../../platform/http/outbound/private-origins.js';
import type { SendContext } from '../channel-sender.js';
import { A_TEST, aNotice } from '../messages/notices.spec-support.js';
import { aChannel, aDelivery, HUB } from './receiver.spec-support.js';
import { sendToWebhook } from './webhook.js';

const read = (name: string): string =>
  readFileSync(new URL(`../../../../docs/monitoring/${name}`, import.meta.url), 'utf8');
const PAGES = { en: read('alerts.md'), 'zh-CN': read('alerts.zh-CN.md') };
const exampleOf = (page: string): string => /```js\n(.*?)```/su.exec(page)?.[1] ?? '';

const SECRET = 'whsec_c2VjcmV0LW9mLXRoZS1kb2N1bWVudGF0aW9u';

const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
};

describe('the documented receiver', () => {
  let child: ChildProcess;
  let output = '';
  let url: string;
  let context: SendContext;

  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}/hook`;
    child = spawn(process.execPath, ['--input-type=module', '--eval', exampleOf(PAGES.en)], {
      env: { PORT: String(port), WEBHOOK_SECRET: SECRET },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    child.stdout?.on('data', (piece: Buffer) => (output += piece.toString()));
    for (const end = Date.now() + 20_000; Date.now() < end;) {
      if (
        await fetch(url, { method: 'POST' }).then(
          ({ status }) => status === 401,
          () => false,
        )
      )
        break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    const policy = new OutboundPolicy(parsePrivateOrigins(`http://127.0.0.1:${port}`));
    const client = new GuardedHttpClient(policy);
    context = { client, policy, publicUrl: HUB, signal: AbortSignal.timeout(20_000), now: () => new Date() };
  });
  afterAll(async () => {
    child.kill('SIGKILL');
    await context.client.close();
  });

  const channel = (secret: string | null) => aChannel('webhook', { url, secret });

  it('takes what the hub signed, and tells it once', async () => {
    await sendToWebhook(channel(SECRET), aDelivery(aNotice()), context);
    await sendToWebhook(channel(SECRET), aDelivery(aNotice()), context);
    await sendToWebhook(channel(SECRET), { id: 'another', notice: A_TEST }, context);
    for (const end = Date.now() + 5000; Date.now() < end && !output.includes('测试');) {
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    expect(output).toBe('【严重】模型 fast 调用失败率过高（42.3%，阈值 20%）\n【提示】测试消息\n');
  });

  it.each([
    ['another secret', 'whsec_b3RoZXI=', 0],
    ['no secret', null, 0],
    ['a time long past', SECRET, -600_000],
    ['a time to come', SECRET, 600_000],
  ])('refuses %s', async (_name, secret, shift) => {
    const shifted = { ...context, now: () => new Date(Date.now() + shift) };
    await expect(sendToWebhook(channel(secret), aDelivery(A_TEST), shifted)).rejects.toThrow('answered 401');
  });

  it('is the same in both languages, on pages that speak of every kind', () => {
    expect(exampleOf(PAGES['zh-CN'])).toBe(exampleOf(PAGES.en));
    for (const page of Object.values(PAGES)) {
      for (const kind of [...ALERT_KINDS, ...CHANNEL_KINDS])
        expect(page).toMatch(new RegExp(`^\\| \`${kind}\` +\\|`, 'm'));
    }
  });
});
