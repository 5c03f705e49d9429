import { existsSync } from 'node:fs';
import { chromium, type Browser, type BrowserContext, type Page } from 'playwright-core';

/** Debian's Chromium; null: there is none on this machine. */
export const CHROMIUM =
  [process.env['CHROMIUM_PATH'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser'].find(
    (path) => path !== '' && existsSync(path),
  ) ?? null;

export const startBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM ?? '', args: ['--no-sandbox', '--disable-gpu'] });

/** A page, and everything that its browser was told: texts of answers, what it logged, what went wrong in it. */
export interface WatchedPage {
  page: Page;
  context: BrowserContext;
  /** Every body that was received, one behind the other. */
  received: () => Promise<string>;
  /** Messages of the console and errors of scripts; an answer that is no success is told by the screen. */
  complaints: string[];
}

const WAIT_MILLISECONDS = 20_000;

type PageOptions = Parameters<Browser['newContext']>[0];

/** What a browser logs by itself about an answer that the page deals with. */
const EXPECTED = /Failed to load resource: the server responded with a status of 4/;

export const openPage = async (browser: Browser, options: PageOptions = {}): Promise<WatchedPage> => {
  const context = await browser.newContext({ locale: 'zh-CN', timezoneId: 'Asia/Shanghai', ...options });
  context.setDefaultTimeout(WAIT_MILLISECONDS);
  const page = await context.newPage();
  const bodies: Promise<string>[] = [];
  const complaints: string[] = [];
  page.on('response', (response) => void bodies.push(response.text().catch(() => '')));
  page.on('pageerror', (error) => void complaints.push(error.message));
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type()) && !EXPECTED.test(message.text()))
      complaints.push(message.text());
  });
  return { page, context, complaints, received: async () => (await Promise.all(bodies)).join('\n') };
};
