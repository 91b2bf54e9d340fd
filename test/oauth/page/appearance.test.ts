/**
 * How every state of the page looks. With SCREENSHOTS set to a folder the pictures are kept there: that is how those in
 * `examples/oauth/screenshots` are made.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../support/debian.ts';
import { Caller, startLoginSite, type LoginSite } from '../http/login-gateway.ts';
import { launch, visitor } from '../../support/browser.ts';

const folder = process.env['SCREENSHOTS'];
const names = { device: 'Acme Cloud', web: 'Example ID' } as const;

describeWith('chromium', 'the look of the login page', () => {
  let site: LoginSite;
  let browser: Browser;
  beforeAll(async () => {
    [site, browser] = await Promise.all([
      startLoginSite({
        names,
        providers: `    Claude Code:
      flow: linked
      linked:
        file: ./not-there.json
        access_token: token
        instruction: Run “claude login” on the host of this gateway. This page notices by itself.`,
      }),
      launch(),
    ]);
    if (folder !== undefined) mkdirSync(folder, { recursive: true });
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
  });

  const states: readonly (readonly [
    name: string,
    heading: string,
    reach: (page: Page) => Promise<unknown>,
  ])[] = [
    ['providers', 'Log in', (page) => page.goto(`${site.gateway.url}/login`)],
    ['waiting', `Log in with ${names.device}`, (page) => start(page, names.device)],
    [
      'joined',
      `Log in with ${names.device}`,
      async (page) => {
        await new Caller(site).start(names.device);
        await start(page, names.device);
      },
    ],
    ['browser', `Log in with ${names.web}`, (page) => start(page, names.web)],
    ['linked', 'Log in with Claude Code', (page) => start(page, 'Claude Code')],
    [
      'done',
      'You are logged in',
      async (page) => {
        await start(page, names.device);
        await site.provider.enterCode(await codeOf(page), 'approve');
      },
    ],
    [
      'denied',
      'The login was denied',
      async (page) => {
        await start(page, names.device);
        await site.provider.enterCode(await codeOf(page), 'deny');
      },
    ],
    [
      'cancelled',
      'The login was cancelled',
      async (page) => {
        await start(page, names.web);
        await page.getByRole('button', { name: 'Cancel' }).click();
      },
    ],
    [
      'refused',
      'This did not work',
      (page) => page.goto(`${site.gateway.url}/login/flows/${'0'.repeat(32)}`),
    ],
  ];

  const start = async (page: Page, provider: string): Promise<void> => {
    await page.goto(`${site.gateway.url}/login`);
    const first = page.getByRole('listitem').filter({ hasText: provider }).getByRole('button');
    const other = page.getByRole('listitem').filter({ hasText: provider }).getByRole('link');
    await first.or(other).click();
    await page.getByRole('heading', { name: `Log in with ${provider}` }).waitFor();
  };
  const codeOf = async (page: Page): Promise<string> =>
    (await page.locator('[data-copy]').getAttribute('data-copy'))!;

  it.each(states)('%s fits a phone and a desk, in light and dark', async (name, heading, reach) => {
    const { context, complaints } = await visitor(browser, { viewport: { width: 720, height: 800 } });
    const page = await context.newPage();
    await reach(page);
    await page.getByRole('heading', { name: heading, exact: true }).waitFor();
    for (const scheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme: scheme });
      await keep(page, scheme === 'light' ? name : `${name}-dark`);
    }
    await page.setViewportSize({ width: 320, height: 640 });
    const overflow = await page.evaluate(
      'document.documentElement.scrollWidth - document.documentElement.clientWidth',
    );
    expect(overflow).toBe(0);
    await keep(page, `${name}-phone`);
    expect(complaints.filter((text) => !text.includes('404'))).toEqual([]);
    await context.close();
  });

  it('expired fits, too', async () => {
    const brief = await startLoginSite({ names, codeSeconds: 1 });
    const { context } = await visitor(browser, { viewport: { width: 720, height: 800 } });
    const page = await context.newPage();
    await page.goto(`${brief.gateway.url}/login`);
    await page.getByRole('button', { name: `Log in with ${names.device}` }).click();
    await page.getByRole('heading', { name: 'The login has expired' }).waitFor();
    await keep(page, 'expired');
    await context.close();
    await brief.stop();
  });

  async function keep(page: Page, name: string): Promise<void> {
    if (folder === undefined) return;
    await page.screenshot({ path: join(folder, `${name}.png`), fullPage: true });
  }
});
