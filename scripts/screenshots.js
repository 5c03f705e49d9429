// Pictures of every screen of the console, in both languages and themes: `npm run screenshots` writes docs/console/*.png.
// Needs Chromium (Debian: `apt-get install chromium fonts-noto-cjk`), or CHROMIUM_PATH.
import { mkdirSync, mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { start, stopAll } from './bench/children.js';
import { syntheticBatches } from './bench/synthetic-usage.js';
import { removeDataDirectory } from './support/remove-data-directory.js';
import { API_KEY, startProvider } from './support/simulated-provider.js';

const MAIN = fileURLToPath(new URL('../dist/src/main.js', import.meta.url));
const OUT = fileURLToPath(new URL('../docs/console/', import.meta.url));
const SERVICE_TOKEN = 'a-service-token-for-pictures-alone-1';
const MINUTE = 60_000;
const HOURS = 24;
const CALLS = 20_000;
const VIEWPORT = { width: 1280, height: 820 };

const MODELS = [
  {
    alias: 'fast',
    model_name: 'simulated-small',
    display_name: '日常对话',
    input_price_per_million: 0.15,
    output_price_per_million: 0.6,
  },
  { alias: 'vision', model_name: 'simulated-vision', display_name: '图像理解', supports_images: true, priority: 10 },
  {
    alias: 'long',
    model_name: 'simulated-long',
    display_name: '长文档',
    supports_files: true,
    context_window: 200_000,
  },
  { alias: 'broken', model_name: 'simulated-broken', display_name: '故障演示', max_retries: 0 },
];
const PROMPT = {
  name: 'support-agent',
  display_name: '客服助手',
  category: '客服',
  language: 'zh-CN',
  prompt_content: '你是{{公司}}的客服。请用{{语言}}回答，语气友好，不超过三句话。',
  variables: [
    { name: '公司', type: 'string', required: true },
    { name: '语言', type: 'string', default: '中文' },
  ],
};
/** Name of the picture and address of the screen. */
const SCREENS = [
  ['overview', ''],
  ['models', 'models'],
  ['model-form', 'models/new'],
  ['prompts', 'prompts'],
  ['playground', 'playground'],
  ['statistics', 'statistics?group=model&range=24h'],
  ['alerts', 'alerts'],
  ['settings', 'settings'],
  ['changes', 'settings/changes'],
];
const LOOKS = ['zh-CN', 'en'].flatMap((locale) => ['light', 'dark'].map((colorScheme) => ({ locale, colorScheme })));

const clientOf = (url, token) => async (method, path, body) => {
  const response = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  if (response.status >= 500 && path.startsWith('/v1/')) return null;
  if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
  return response.status === 204 ? null : response.json();
};

const fill = async (send, sendInternal, apiBase) => {
  for (const model of MODELS) {
    const body = { provider: 'openai_compatible', api_base: apiBase, api_key: API_KEY, ...model };
    await send('POST', '/api/v1/ai-models/configs', body);
  }
  await send('POST', '/api/v1/ai-models/prompts', PROMPT);
  await send('POST', '/api/v1/tokens', { name: '结算服务', scopes: ['invoke'] });
  await send('POST', '/api/v1/tokens', { name: 'monitoring', scopes: ['usage:read', 'alerts:read'] });
  for (const { alias } of MODELS) {
    await send('POST', '/v1/chat/completions', { model: alias, messages: [{ role: 'user', content: '你好' }] });
  }
  const now = Math.floor(Date.now() / MINUTE) * MINUTE;
  const minutes = Array.from({ length: HOURS * 60 - 1 }, (_, index) => now - (HOURS * 60 - 1 - index) * MINUTE);
  for (const batch of syntheticBatches(CALLS, minutes)) await sendInternal('POST', '/internal/v1/usage', batch);
};

const photograph = async (browser, url, token, look) => {
  const context = await browser.newContext({ ...look, timezoneId: 'Asia/Shanghai', viewport: VIEWPORT });
  const page = await context.newPage();
  const shoot = async (name) => {
    await page.waitForLoadState('networkidle');
    // Charts come when the page is quiet, and what slides in has to arrive.
    await page.waitForTimeout(1000);
    await page.screenshot({ path: join(OUT, `${name}-${look.locale}-${look.colorScheme}.png`) });
  };
  await page.goto(`${url}/console/`);
  await page.locator('input[type=password]').waitFor();
  await shoot('sign-in');
  await page.locator('input[type=password]').fill(token);
  await page.locator('button[type=submit]').click();
  await page.getByRole('navigation').waitFor();
  for (const [name, path] of SCREENS) {
    await page.goto(`${url}/console/${path}`);
    await shoot(name);
  }
  await context.close();
  console.log(`${look.locale}, ${look.colorScheme}: ${SCREENS.length + 1} pictures`);
};

const dataDir = mkdtempSync(join(tmpdir(), 'hub-pictures-'));
const provider = await startProvider();
let browser = null;
try {
  mkdirSync(OUT, { recursive: true });
  const env = { DATA_DIR: dataDir, PORT: '0', LOG_FORMAT: 'json', STORAGE_SERVICE_TOKEN: SERVICE_TOKEN };
  const { url } = await start(MAIN, env);
  const token = readFileSync(join(dataDir, 'admin-token'), 'utf8').trim();
  await fill(clientOf(url, token), clientOf(url, SERVICE_TOKEN), provider.url);
  browser = await chromium.launch({
    executablePath: process.env.CHROMIUM_PATH ?? '/usr/bin/chromium',
    args: ['--no-sandbox'],
  });
  for (const look of LOOKS) await photograph(browser, url, token, look);
} finally {
  await browser?.close();
  await stopAll();
  provider.close();
  removeDataDirectory(dataDir);
}
