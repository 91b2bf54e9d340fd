/** The login page in a real browser, before a real provider. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeWith } from '../../support/debian.ts';
import { loginPaths } from '../../support/login-provider.ts';
import { startLoginSite, type LoginSite } from '../http/login-gateway.ts';
import { launch, visitor } from '../../support/browser.ts';

describeWith('chromium', 'the login page in a browser', () => {
  let site: LoginSite;
  let browser: Browser;
  beforeAll(async () => {
    [site, browser] = await Promise.all([startLoginSite(), launch()]);
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
  });

  const login = (): string => `${site.gateway.url}/login`;
  const startWith = (page: Page, provider: string) =>
    page.getByRole('button', { name: new RegExp(`Log in( again)? with ${provider}`) }).click();
  const headingOf = (page: Page, name: string) => page.getByRole('heading', { name }).waitFor();
  const codeOf = async (page: Page): Promise<string> =>
    (await page.locator('[data-copy]').getAttribute('data-copy'))!;

  it('a device login: the code is shown, confirmed at the provider, and the page says so by itself', async () => {
    const { context, complaints } = await visitor(browser);
    const page = await context.newPage();
    await page.goto(login());
    await startWith(page, 'device');
    await headingOf(page, 'Log in with device');
    const code = await codeOf(page);
    expect((await page.locator('[data-code]').textContent())?.replaceAll(/\s/g, '')).toBe(code);
    expect(await page.getByRole('timer').textContent()).toMatch(/^(10:00|9:5\d)$/);
    const [elsewhere] = await Promise.all([
      context.waitForEvent('page'),
      page.getByRole('link', { name: 'Open the login page' }).click(),
    ]);
    await elsewhere.getByRole('button', { name: 'Continue' }).click();
    await elsewhere.getByRole('button', { name: 'Log in' }).click();
    await elsewhere.getByRole('heading', { name: 'Done' }).waitFor();
    await headingOf(page, 'You are logged in');
    expect(await page.evaluate('document.activeElement.tagName')).toBe('H1');
    await page.getByRole('link', { name: 'All providers' }).click();
    await page.getByText('Logged in', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('a login in the browser: there and back again', async () => {
    const { context, complaints } = await visitor(browser);
    const page = await context.newPage();
    await page.goto(login());
    await startWith(page, 'web');
    await page.getByRole('link', { name: 'Continue to the login page' }).click();
    await page.getByRole('button', { name: 'Log in' }).click();
    await headingOf(page, 'You are logged in');
    expect(new URL(page.url()).search).toBe('');
    expect(complaints).toEqual([]);
    await context.close();
  });

  it('two tabs share one login, and the second is told so', async () => {
    const { context } = await visitor(browser);
    const [one, two] = [await context.newPage(), await context.newPage()];
    await Promise.all([one.goto(login()), two.goto(login())]);
    const before = await site.provider.calls(loginPaths.deviceAuthorization);
    await startWith(one, 'device');
    await headingOf(one, 'Log in with device');
    await startWith(two, 'device');
    await two.getByText('This login was already running').waitFor();
    expect(await codeOf(two)).toBe(await codeOf(one));
    expect(await site.provider.calls(loginPaths.deviceAuthorization)).toBe(before + 1);
    await two.getByRole('button', { name: 'Cancel' }).click();
    await headingOf(two, 'The login was cancelled');
    await headingOf(one, 'The login was cancelled');
    await context.close();
  });

  it('a denial is told, and the login can be tried again', async () => {
    const { context } = await visitor(browser);
    const page = await context.newPage();
    await page.goto(login());
    await startWith(page, 'device');
    await headingOf(page, 'Log in with device');
    const code = await codeOf(page);
    await site.provider.enterCode(code, 'deny');
    await headingOf(page, 'The login was denied');
    await page.getByRole('button', { name: 'Try again' }).click();
    await headingOf(page, 'Log in with device');
    expect(await codeOf(page)).not.toBe(code);
    await page.getByRole('button', { name: 'Cancel' }).click();
    await headingOf(page, 'The login was cancelled');
    await context.close();
  });

  it('works without scripts, by refresh', async () => {
    const { context } = await visitor(browser, { javaScriptEnabled: false });
    const page = await context.newPage();
    await page.goto(login());
    await startWith(page, 'device');
    await headingOf(page, 'Log in with device');
    const code = (await page.locator('[data-code]').textContent())!.replaceAll(/\s/g, '');
    await site.provider.enterCode(code, 'approve');
    await headingOf(page, 'You are logged in');
    await context.close();
  });

  it('is worked by keyboard alone, and the code is copied', async () => {
    const { context } = await visitor(browser, { permissions: ['clipboard-read', 'clipboard-write'] });
    const page = await context.newPage();
    await page.goto(login());
    await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await headingOf(page, 'Log in with device');
    for (let presses = 0; presses < 10; presses++) {
      await page.keyboard.press('Tab');
      if ((await page.evaluate('document.activeElement.dataset.copy')) !== undefined) break;
    }
    await page.keyboard.press('Enter');
    await page.getByText('Copied').waitFor();
    expect(await page.evaluate('navigator.clipboard.readText()')).toBe(await codeOf(page));
    await page.getByRole('button', { name: 'Cancel' }).click();
    await headingOf(page, 'The login was cancelled');
    await context.close();
  });

  it('does not wait for a login of somebody else', async () => {
    const [mine, theirs] = [await visitor(browser), await visitor(browser)];
    const page = await mine.context.newPage();
    await page.goto(login());
    await startWith(page, 'device');
    await headingOf(page, 'Log in with device');
    const stranger = await theirs.context.newPage();
    const answer = await stranger.goto(page.url());
    expect(answer?.status()).toBe(404);
    await headingOf(stranger, 'This did not work');
    await page.getByRole('button', { name: 'Cancel' }).click();
    await headingOf(page, 'The login was cancelled');
    await Promise.all([mine.context.close(), theirs.context.close()]);
  });
});

describeWith('chromium', 'a code that nobody enters', () => {
  it('expires, and the page says so', async () => {
    const [site, browser] = await Promise.all([startLoginSite({ codeSeconds: 3 }), launch()]);
    try {
      const { context } = await visitor(browser);
      const page = await context.newPage();
      await page.goto(`${site.gateway.url}/login`);
      await page.getByRole('button', { name: 'Log in with device' }).click();
      await page.getByRole('heading', { name: 'The login has expired' }).waitFor();
      await page.getByRole('button', { name: 'Try again' }).waitFor();
    } finally {
      await browser.close();
      await site.stop();
    }
  });
});
