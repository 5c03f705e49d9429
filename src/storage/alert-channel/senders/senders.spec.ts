import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { LANGUAGES, type Language } from '../../../contract/alert-kinds.js';
import type { ChannelKind } from '../../../contract/alert-channel.contract.js';
import type { Notice } from '../../../contract/alert-notice.js';
import { expectGolden } from '../../../../test/support/golden.js';
import { DeliveryError, type OpenChannel } from '../channel-sender.js';
import { A_TEST, aBudgetNotice, aGroup, anAlert, aNotice } from '../messages/notices.spec-support.js';
import { SENDERS } from '../senders.js';
import {
  aChannel,
  aDelivery,
  hmacBase64,
  NOW,
  startReceiver,
  type Received,
  type Receiver,
} from './receiver.spec-support.js';

type Chat = Exclude<ChannelKind, 'email'>;

const SECRET = 'SEC-9f8e7d6c5b4a39281706';
const TOKEN = 'bot-token-1a2b3c4d5e6f';
const PATHS: Record<Chat, string> = {
  webhook: `/hook/${TOKEN}`,
  slack: `/services/T000/B000/${TOKEN}`,
  feishu: `/open-apis/bot/v2/hook/${TOKEN}`,
  dingtalk: `/robot/send?access_token=${TOKEN}`,
  wecom: `/cgi-bin/webhook/send?key=${TOKEN}`,
};
const CHATS = Object.keys(PATHS) as Chat[];
const SIGNED: readonly Chat[] = ['webhook', 'feishu', 'dingtalk'];

/** One of each event. */
const EVENTS: readonly Notice[] = [
  aNotice(),
  aGroup('firing', 3, 2),
  aNotice('bad_credential', 'reminder', { at: '2026-11-26T04:31:15.000Z' }),
  aNotice('latency_p95', 'resolved'),
  aBudgetNotice(),
  A_TEST,
];

let receiver: Receiver;
beforeAll(async () => {
  receiver = await startReceiver();
});
afterAll(() => receiver.close());
beforeEach(() => {
  receiver.received.length = 0;
  receiver.answer(200, '{"code":0,"errcode":0}');
});

const channelOf = (kind: Chat, language: Language = 'zh-CN'): OpenChannel =>
  aChannel(kind, {
    language,
    url: receiver.origin + PATHS[kind],
    secret: SIGNED.includes(kind) ? SECRET : null,
  });

const send = async (kind: Chat, notice: Notice, language: Language = 'zh-CN'): Promise<Received> => {
  await SENDERS[kind](channelOf(kind, language), aDelivery(notice), receiver.context);
  const last = receiver.received.at(-1);
  if (!last) throw new Error('nothing arrived');
  return last;
};

const failureOf = async (kind: Chat): Promise<DeliveryError> => {
  const failure: unknown = await send(kind, A_TEST).then(
    () => null,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(DeliveryError);
  return failure as DeliveryError;
};

const asGolden = ({ url, headers, body }: Received): string =>
  [
    `POST ${url}`,
    `content-type: ${headers['content-type']}`,
    ...Object.entries(headers).flatMap(([name, value]) =>
      name.startsWith('webhook-') ? [`${name}: ${String(value)}`] : [],
    ),
    '',
    JSON.stringify(JSON.parse(body), null, 2),
    '',
  ].join('\n');

describe('requests to chats', () => {
  it.each(CHATS.flatMap((kind) => LANGUAGES.map((language) => ({ kind, language }))))(
    'are those of $kind, in $language',
    async ({ kind, language }) => {
      const requests: string[] = [];
      for (const notice of EVENTS) requests.push(asGolden(await send(kind, notice, language)));
      expectGolden(`alert-messages/${kind}.${language}`, requests.join('\n'));
    },
  );

  it("use the rule's language before the channel's", async () => {
    const { body } = await send('wecom', { ...aNotice(), language: 'en' });
    expect(body).toContain('[Critical] Model fast');
  });
});

describe('signatures', () => {
  it("are Feishu's: the time and the secret are the key, the text is empty", async () => {
    const body = JSON.parse((await send('feishu', A_TEST)).body) as { timestamp: string; sign: string };
    expect(body.timestamp).toBe(String(Math.floor(NOW.getTime() / 1000)));
    expect(body.sign).toBe(hmacBase64(`${body.timestamp}\n${SECRET}`, ''));
  });

  it("are DingTalk's: milliseconds, in the address beside its token", async () => {
    const { searchParams, search } = new URL((await send('dingtalk', A_TEST)).url, receiver.origin);
    const timestamp = searchParams.get('timestamp');
    expect(timestamp).toBe(String(NOW.getTime()));
    expect(searchParams.get('access_token')).toBe(TOKEN);
    expect(searchParams.get('sign')).toBe(hmacBase64(SECRET, `${timestamp}\n${SECRET}`));
    expect(search).not.toMatch(/sign=[^&]*[+/]/);
  });

  it('are left out without a secret', async () => {
    for (const kind of ['feishu', 'dingtalk'] as const) {
      await SENDERS[kind]({ ...channelOf(kind), secret: null }, aDelivery(A_TEST), receiver.context);
    }
    const [feishu, dingtalk] = receiver.received;
    expect(Object.keys(JSON.parse(feishu?.body ?? '') as object)).toEqual(['msg_type', 'card']);
    expect(dingtalk?.url).toBe(PATHS.dingtalk);
  });
});

describe('answers', () => {
  it.each([
    ['feishu', { code: 19021, msg: 'sign match fail or timestamp is not within one hour' }, 'code 19021', null],
    ['feishu', { code: 11232, msg: 'frequency limited' }, 'code 11232', 60],
    ['dingtalk', { errcode: 310000, errmsg: 'sign not match' }, 'errcode 310000', null],
    ['dingtalk', { errcode: 130101, errmsg: 'send too fast' }, 'errcode 130101', 600],
    ['dingtalk', { errcode: 410100, errmsg: 'send too fast' }, 'errcode 410100', 600],
    ['wecom', { errcode: 93000, errmsg: 'invalid webhook url' }, 'errcode 93000', null],
    ['wecom', { errcode: 45009, errmsg: 'api freq out of limit' }, 'errcode 45009', 60],
  ] as const)('of %s: %j is a refusal although the status is 200', async (kind, answer, code, wait) => {
    receiver.answer(200, JSON.stringify(answer));
    const failure = await failureOf(kind);
    expect(failure.message).toContain(code);
    expect(failure.message).toContain('msg' in answer ? answer.msg : answer.errmsg);
    expect(failure.retryAfterSeconds).toBe(wait);
  });

  it.each(['feishu', 'dingtalk', 'wecom'] as const)('of %s that are no answers are refusals', async (kind) => {
    for (const body of ['', '<html>login</html>', '[]', 'null', '{}', '{"code":"0","errcode":"0"}']) {
      receiver.answer(200, body);
      await failureOf(kind);
    }
  });

  it.each(CHATS)('of %s with a bad status are refusals, and Retry-After is obeyed', async (kind) => {
    receiver.answer(429, 'slow down', { 'retry-after': '30' });
    expect(await failureOf(kind)).toMatchObject({ message: expect.stringContaining('429'), retryAfterSeconds: 30 });
    receiver.answer(500, '{"code":0,"errcode":0}');
    expect(await failureOf(kind)).toMatchObject({ message: expect.stringContaining('500'), retryAfterSeconds: null });
  });

  it.each(CHATS)('of %s that repeat what is secret are told without it', async (kind) => {
    const echo = `no such robot: ${receiver.origin}${PATHS[kind]} (${SECRET})`;
    for (const status of [200, 403]) {
      receiver.answer(status, JSON.stringify({ code: 1, msg: echo, errcode: 1, errmsg: echo }));
      if (status === 200 && (kind === 'webhook' || kind === 'slack')) continue;
      const { message } = await failureOf(kind);
      expect(message).toContain('no such robot');
      expect(message).not.toContain(TOKEN);
      if (SIGNED.includes(kind)) expect(message).not.toContain(SECRET);
    }
  });

  it.each(CHATS)('of nobody: %s is told as what it is', async (kind) => {
    const channel = { ...channelOf(kind), url: `http://127.0.0.2:9${PATHS[kind]}` };
    await expect(SENDERS[kind](channel, aDelivery(A_TEST), receiver.context)).rejects.toBeInstanceOf(DeliveryError);
    expect(receiver.received).toEqual([]);
  });
});

/** Fifty alerts with the longest and worst names there can be. */
const worst = (name: string): Notice => {
  const alerts = Array.from({ length: 50 }, (_none, index) => anAlert({ subject: `${index} ${name}` }));
  const notice = aNotice('error_rate', 'firing', { alerts, more: 1000 });
  notice.rule.description = name.repeat(20).slice(0, 500);
  return notice;
};

describe('limits and hostile names', () => {
  const NAMES = ['模'.repeat(97), '&'.repeat(97), '"\\'.repeat(48), '😀'.repeat(48)];

  it.each(NAMES)("Slack's sections and blocks: %s", async (name) => {
    const { blocks, text } = JSON.parse((await send('slack', worst(name), 'en')).body) as {
      text: string;
      blocks: { text?: { text: string } }[];
    };
    expect(blocks.length).toBeLessThanOrEqual(50);
    expect(Math.max(text.length, ...blocks.map((block) => block.text?.text.length ?? 0))).toBeLessThanOrEqual(3000);
    expect(blocks[0]?.text?.text.length).toBeLessThanOrEqual(150);
    expect(JSON.stringify(blocks)).toContain('1,000 others');
    expect(JSON.stringify(blocks.at(-1))).toContain('/console/alerts?rule=error-rate|');
  });

  it.each(NAMES)("WeCom's 4096 bytes: %s", async (name) => {
    const { markdown } = JSON.parse((await send('wecom', worst(name))).body) as { markdown: { content: string } };
    expect(Buffer.byteLength(markdown.content)).toBeLessThanOrEqual(4096);
    expect(markdown.content).toMatch(/另有 1,0\d\d 项未列出/u);
    expect(markdown.content).toMatch(/\]\(https:\/\/hub\.example\.com\/console\/alerts\?rule=error-rate\)$/u);
  });

  it.each(NAMES)("Feishu's and DingTalk's 20 KB: %s", async (name) => {
    for (const kind of ['feishu', 'dingtalk'] as const) {
      const { body } = await send(kind, worst(name));
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(20_000);
      expect(body).toContain('/console/alerts?rule=error-rate');
    }
  });

  it('mention nobody, and lead nowhere', async () => {
    const notice = aNotice('error_rate', 'firing', {
      alerts: [
        anAlert({ subject: '<!channel> <@all> <at id=all></at> [here](https://evil.example) <font color="warning">' }),
      ],
    });
    // A plain_text is shown as it is; everything else is mrkdwn.
    const slack = (await send('slack', notice)).body.replaceAll(/"plain_text","text":"(?:[^"\\]|\\.)*"/g, '');
    expect(slack).not.toMatch(/<!channel>|<@all>/);
    expect(slack.match(/&lt;!channel&gt;/g)).toHaveLength(2);
    for (const kind of ['dingtalk', 'wecom'] as const) {
      const { markdown } = JSON.parse((await send(kind, notice)).body) as { markdown: Record<string, string> };
      expect(markdown['text'] ?? markdown['content']).not.toMatch(/<[!@a-z/]|\]\(https:\/\/evil/);
    }
    const { card } = JSON.parse((await send('feishu', notice)).body) as { card: object };
    expect(JSON.stringify(card)).not.toContain('lark_md');
  });
});
