import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Browser, Page } from 'playwright-core';
import { saveModel } from './support/calls.js';
import { createTestDatabase, postgresSocket } from './support/database.js';
import { startFaultProxy } from './support/fault-proxy.js';
import { CHROMIUM, openPage, startBrowser, type WatchedPage } from './support/browser.js';
import { politeScript, sendJson, startFakeProvider, type FakeProvider } from './support/fake-provider.js';
import { CONFIGS, startHub, type TestHub } from './support/hub.js';

const isAmongStories = process.env['CHAOS'] !== undefined;
const KEY = 'sk-canary-of-the-console-4711';
/** One pixel. */
const PNG = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
);
const AXE = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface Words {
  token: string;
  signIn: string;
  models: string;
  playground: string;
  message: string;
  statistics: string;
  add: string;
  alias: string;
  modelName: string;
  apiBase: string;
  key: string;
  images: string;
  test: string;
  works: RegExp;
  fails: RegExp;
  save: string;
}

const WORDS: Record<'zh-CN' | 'en-GB', Words> = {
  'zh-CN': {
    token: '访问令牌',
    signIn: '登录',
    models: '模型',
    playground: '试验场',
    message: '消息',
    statistics: '统计',
    add: '添加模型',
    alias: '别名',
    modelName: '模型名称',
    apiBase: '接口地址',
    key: '密钥',
    images: '支持图像',
    test: '测试',
    works: /成功，[\d.,]+ m?s/,
    fails: /失败：auth/,
    save: '保存',
  },
  'en-GB': {
    token: 'Access token',
    signIn: 'Sign in',
    models: 'Models',
    playground: 'Playground',
    message: 'Message',
    statistics: 'Statistics',
    add: 'Add a model',
    alias: 'Alias',
    modelName: 'Model name',
    apiBase: 'Address',
    key: 'Key',
    images: 'Takes images',
    test: 'Test',
    works: /Works, [\d.,]+ m?s/,
    fails: /Failed: auth/,
    save: 'Save',
  },
};

const field = (page: Page, label: string) => page.getByRole('textbox', { name: label, exact: true });
/** By the label's own words; the mark of a required field is not one of them. */
const labelled = (page: Page, label: string) => page.getByLabel(new RegExp('^' + label + String.raw`(?: \*)?` + '$'));
const button = (page: Page, name: string) => page.getByRole('button', { name, exact: true });

const signIn = async ({ page }: WatchedPage, hub: TestHub, { token, signIn: text }: Words): Promise<void> => {
  await page.goto(`${hub.url}/console/`);
  await labelled(page, token).fill(hub.adminToken);
  await button(page, text).click();
  await page.getByRole('navigation').waitFor();
};

/** With a picture, as anybody would send one. */
const callInPlayground = async (page: Page, alias: string, words: Words): Promise<void> => {
  await page.getByRole('link', { name: words.playground, exact: true }).click();
  await page.getByRole('combobox', { name: words.models }).fill(alias);
  await page.getByRole('option', { name: alias, exact: true }).click();
  await field(page, words.message).fill('你好');
  await page.locator('input[type=file]').setInputFiles({ name: 'dot.png', mimeType: 'image/png', buffer: PNG });
  await page.getByText('dot.png').waitFor();
  await field(page, words.message).press('Control+Enter');
  await page.getByRole('region', { name: alias }).getByText('Hello').waitFor();
};

/** Usage is sent every second. */
const findInStatistics = async (page: Page, alias: string, words: Words): Promise<void> => {
  await page.getByRole('link', { name: words.statistics, exact: true }).click();
  await page.getByRole('heading', { level: 1, name: words.statistics }).waitFor();
  const url = new URL(page.url());
  url.search = '?group=model&range=1h';
  const row = page.getByRole('row', { name: new RegExp(`^${alias} `) });
  for (let look = 0; look < 20 && (await row.count()) === 0; look += 1) {
    await page.goto(url.href);
    await page.getByRole('table').waitFor();
    await page.waitForTimeout(300);
  }
  await row.waitFor();
};

const ALL_LOOKS = [
  ['zh-CN', 'light'],
  ['en-GB', 'dark'],
  ['zh-CN', 'dark'],
  ['en-GB', 'light'],
] as const;
const ALL_PATHS = [
  '',
  'models/new',
  'statistics',
  'models',
  'prompts',
  'prompts/new',
  'playground',
  'settings',
  'settings/transfer',
  'settings/changes',
];
/** Each look takes ten seconds: all of them are looked at where the long stories are played. */
const LOOKS = isAmongStories ? ALL_LOOKS : ALL_LOOKS.slice(0, 1);
const PATHS = isAmongStories ? ALL_PATHS : ALL_PATHS.slice(0, 3);

/** What axe finds on the page as it is, by rule and element. */
const violations = async (page: Page): Promise<string[]> => {
  await page.evaluate(AXE);
  const run = `axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa', 'wcag22aa'] })`;
  const found = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(run);
  return found.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
};

(CHROMIUM ? describe : describe.skip)('the console in Chromium', () => {
  let hub: TestHub;
  let provider: FakeProvider;
  let browser: Browser;
  beforeAll(async () => {
    [hub, provider, browser] = await Promise.all([startHub(), startFakeProvider(), startBrowser()]);
  });
  afterAll(async () => {
    await browser.close();
    await hub.close();
    await provider.close();
  });

  it.each(['zh-CN', 'en-GB'] as const)(
    'lets a newcomer add a model, test it with two keys and save it: %s',
    async (locale) => {
      const words = WORDS[locale];
      const watched = await openPage(browser, { locale });
      const { page, complaints, received } = watched;
      provider.answerWith((call, response) => {
        if (call.headers.authorization === `Bearer ${KEY}`) return politeScript(call, response);
        return sendJson(response, 401, { error: { message: 'Incorrect API key provided: wrong-on-purpose' } });
      });
      await signIn(watched, hub, words);
      const alias = `first-${locale.toLowerCase()}`;
      await page.getByRole('link', { name: words.models, exact: true }).click();
      await page.getByRole('link', { name: words.add }).first().click();
      await field(page, words.alias).fill(alias);
      await field(page, words.modelName).fill('gpt-test');
      await field(page, words.apiBase).fill(provider.url);
      await page.getByRole('checkbox', { name: words.images }).check();
      await labelled(page, words.key).fill('sk-wrong-key-0000');
      await button(page, words.test).click();
      await page.getByText(words.fails).waitFor();
      await page.getByText('Incorrect API key provided').waitFor();
      await labelled(page, words.key).fill(KEY);
      await button(page, words.test).click();
      await page.getByText(words.works).waitFor();
      await button(page, words.save).click();
      await page.getByRole('link', { name: alias }).waitFor();
      await hub.request('get', `${CONFIGS}/by-alias/${alias}`).expect(200);
      await callInPlayground(page, alias, words);
      expect(JSON.stringify(provider.calls.at(-1)?.body)).toContain('data:image/png;base64,');
      await findInStatistics(page, alias, words);
      expect(complaints).toEqual([]);
      expect(await received()).not.toContain(KEY);
      expect(await page.content()).not.toContain(KEY);
      await watched.context.close();
    },
  );

  it('shows who saved first, and loses nothing of either', async () => {
    const words = WORDS['zh-CN'];
    const { id, alias } = await saveModel(hub, { description: 'as it was' });
    const watched = await openPage(browser);
    const { page } = watched;
    await signIn(watched, hub, words);
    await page.goto(`${hub.url}/console/models/${String(id)}`);
    await field(page, '说明').fill('mine');
    await hub
      .request('put', `${CONFIGS}/${String(id)}`)
      .send({ description: 'theirs', priority: 7 })
      .expect(200);
    await button(page, words.save).click();
    await page.getByRole('dialog', { name: '别人刚刚保存了这个模型' }).waitFor();
    await button(page, '保存合并结果').click();
    await page.getByText(`已保存 ${String(alias)}`).waitFor();
    const { body } = await hub.request('get', `${CONFIGS}/${String(id)}`).expect(200);
    expect(body).toMatchObject({ description: 'mine', priority: 7 });
    await watched.context.close();
  });

  it('keeps a draft through a reload, and no key in it', async () => {
    const { id } = await saveModel(hub);
    const watched = await openPage(browser);
    const { page } = watched;
    await signIn(watched, hub, WORDS['zh-CN']);
    await page.goto(`${hub.url}/console/models/${String(id)}`);
    await field(page, '说明').fill('not saved yet');
    await button(page, '更换密钥').click();
    await labelled(page, '密钥').fill(KEY);
    expect(
      await page.evaluate('JSON.stringify({ ...sessionStorage }) + JSON.stringify({ ...localStorage })'),
    ).not.toContain(KEY);
    page.on('dialog', (dialog) => void dialog.accept());
    await page.reload();
    await page.getByText('已恢复上次未保存的内容。').waitFor();
    expect(await field(page, '说明').inputValue()).toBe('not saved yet');
    expect(await page.evaluate('localStorage.length')).toBe(0);
    // Who saved while it was away is noticed, and keeps what is his.
    await hub
      .request('put', `${CONFIGS}/${String(id)}`)
      .send({ priority: 9 })
      .expect(200);
    await page.reload();
    await page.getByText('已恢复上次未保存的内容。').waitFor();
    await button(page, '保存').click();
    await page.getByRole('dialog', { name: '别人刚刚保存了这个模型' }).waitFor();
    await button(page, '保存合并结果').click();
    await page
      .getByRole('alert')
      .or(page.getByText(/^已保存/))
      .first()
      .waitFor();
    const { body } = await hub.request('get', `${CONFIGS}/${String(id)}`).expect(200);
    expect(body).toMatchObject({ description: 'not saved yet', priority: 9 });
    await watched.context.close();
  });

  it('has nothing that keeps people out, in both languages and themes', async () => {
    await saveModel(hub, { supports_images: true });
    for (const [locale, colorScheme] of LOOKS) {
      const watched = await openPage(browser, { locale, colorScheme });
      const { page } = watched;
      await page.goto(`${hub.url}/console/`);
      await page.getByRole('button', { name: WORDS[locale].signIn }).waitFor();
      expect(await violations(page)).toEqual([]);
      await signIn(watched, hub, WORDS[locale]);
      for (const path of PATHS) {
        await page.goto(`${hub.url}/console/${path}`);
        await page.getByRole('heading', { level: 1 }).first().waitFor();
        await page.waitForLoadState('networkidle');
        expect({ path, found: await violations(page) }).toEqual({ path, found: [] });
      }
      await watched.context.close();
    }
  });

  it('does what the plan on the screen says', async () => {
    const { alias } = await saveModel(hub, { description: 'before' });
    const { text } = await hub.request('get', '/api/v1/ai-models/export?format=yaml&sections=models').expect(200);
    const watched = await openPage(browser);
    const { page } = watched;
    await signIn(watched, hub, WORDS['zh-CN']);
    await page.goto(`${hub.url}/console/settings/transfer`);
    await page.locator('input[type=file]').setInputFiles({
      name: 'changed.yaml',
      mimeType: 'application/yaml',
      buffer: Buffer.from(text.replace('description: before', 'description: after')),
    });
    const row = page.getByRole('row', { name: String(alias) });
    await row.getByText('修改', { exact: true }).waitFor();
    await row.getByText('description').waitFor();
    const { body: before } = await hub.request('get', `${CONFIGS}/by-alias/${String(alias)}`);
    expect(before).toMatchObject({ description: 'before' });
    await button(page, '执行此计划').click();
    await page.getByText('已完成').waitFor();
    const { body: after } = await hub.request('get', `${CONFIGS}/by-alias/${String(alias)}`);
    expect(after).toMatchObject({ description: 'after' });
    await watched.context.close();
  });

  it('sends nothing while somebody still chooses characters', async () => {
    const { alias } = await saveModel(hub, { api_base: provider.url });
    provider.answerWith(politeScript);
    const watched = await openPage(browser);
    const { page, context } = watched;
    await signIn(watched, hub, WORDS['zh-CN']);
    await page.goto(`${hub.url}/console/playground`);
    await page.getByRole('combobox', { name: '模型' }).fill(String(alias));
    await page.getByRole('option', { name: String(alias), exact: true }).click();
    await field(page, '消息').focus();
    const before = provider.calls.length;
    const devtools = await context.newCDPSession(page);
    await devtools.send('Input.imeSetComposition', { text: 'nihao', selectionStart: 5, selectionEnd: 5 });
    const enter = { key: 'Enter', code: 'Enter', modifiers: 2, windowsVirtualKeyCode: 229 };
    await devtools.send('Input.dispatchKeyEvent', { type: 'keyDown', ...enter });
    await devtools.send('Input.insertText', { text: '你好' });
    await page.waitForTimeout(300);
    expect(provider.calls.length).toBe(before);
    expect(await field(page, '消息').inputValue()).toBe('你好');
    await field(page, '消息').press('Control+Enter');
    await page
      .getByRole('region', { name: String(alias) })
      .getByText('Hello')
      .waitFor();
    await watched.context.close();
  });

  it('signs out here, and is signed out when the session is over', async () => {
    const watched = await openPage(browser);
    const { page } = watched;
    await signIn(watched, hub, WORDS['zh-CN']);
    await hub.database.query('DELETE FROM console_sessions');
    await page.getByRole('link', { name: '模型' }).first().click();
    await labelled(page, '访问令牌').waitFor();
    await watched.context.close();
  });

  it('says that the database is away, shows what it can, and recovers by itself', async () => {
    const database = await createTestDatabase();
    const proxy = await startFaultProxy(postgresSocket());
    const url = `postgresql://${postgresSocket().user}@127.0.0.1:${proxy.port}/${database.name}`;
    const own = await startHub({ database, env: { DATABASE_URL: url } });
    const { alias } = await saveModel(own, { api_base: provider.url });
    const watched = await openPage(browser);
    const { page } = watched;
    await signIn(watched, own, WORDS['zh-CN']);
    await page.getByRole('link', { name: '模型', exact: true }).click();
    await page.getByRole('link', { name: String(alias) }).waitFor();
    proxy.set({ line: 'down' });
    await page.getByRole('status').getByText('数据库不可用，正在使用最近一次的配置').waitFor({ timeout: 15_000 });
    expect(await page.getByRole('link', { name: String(alias) }).count()).toBe(1);
    proxy.set({ line: 'open' });
    await page.getByRole('status').getByText('数据库不可用').waitFor({ state: 'detached', timeout: 15_000 });
    await page.getByRole('link', { name: '概览', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: '概览' }).waitFor();
    await watched.context.close();
    await own.close();
    await proxy.close();
  });
});
