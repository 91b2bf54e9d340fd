/** `npm start`, as a newcomer meets it: open the page, log in, and the service behind the gateway gets a token. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { sallyport } from '../../support/built.ts';
import { describeWith } from '../../support/debian.ts';
import { until } from '../../support/until.ts';
import { launch, visitor } from '../../support/browser.ts';

describeWith('chromium', 'the login of the demo', () => {
  let program: ChildProcess;
  let browser: Browser;
  let url = '';

  beforeAll(async () => {
    program = spawn(process.execPath, [sallyport, 'start'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    program.stdout!.setEncoding('utf8').on('data', (chunk: string) => (printed += chunk));
    await until('the demo serves', () => printed.includes('Ctrl-C'), 60_000);
    url = /Open (http:\S+)\/login/.exec(printed)![1]!;
    browser = await launch();
  });
  afterAll(async () => {
    await browser.close();
    program.kill('SIGKILL');
  });

  async function begin(page: Page, provider: string): Promise<void> {
    await page.goto(`${url}/login`);
    await page.getByRole('button', { name: `Log in with ${provider}` }).click();
  }

  it('by a device code gives the service a token, which no caller sees', async () => {
    expect((await fetch(`${url}/inbox`)).status).toBe(403);
    const { context, complaints } = await visitor(browser);
    const page = await context.newPage();
    await begin(page, 'demo-device');
    const [elsewhere] = await Promise.all([
      context.waitForEvent('page'),
      page.getByRole('link', { name: 'Open the login page' }).click(),
    ]);
    await elsewhere.getByRole('button', { name: 'Continue' }).click();
    await elsewhere.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'You are logged in' }).waitFor();
    expect(complaints).toEqual([]);
    const inbox = await until('the service gets a token', async () => {
      const answer = await fetch(`${url}/inbox`);
      return answer.status === 200 && ((await answer.json()) as { headers: { authorization: string } });
    });
    expect(inbox.headers.authorization).toMatch(/^Bearer \S+$/);
    await context.close();
  });

  it('in the browser comes back to the page', async () => {
    const { context } = await visitor(browser);
    const page = await context.newPage();
    await begin(page, 'demo-browser');
    await page.getByRole('link', { name: 'Continue to the login page' }).click();
    await page.getByRole('button', { name: 'Log in' }).click();
    await page.getByRole('heading', { name: 'You are logged in' }).waitFor();
    await context.close();
  });
});
