/** Another site in the browser of an operator who can reach the console: it can neither send the form nor show a page. */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { launch, visitor } from '../../support/browser.ts';
import { describeWith } from '../../support/debian.ts';
import { startGateway, testPreamble, type TestGateway } from '../../support/gateway.ts';
import { until } from '../../support/until.ts';

describeWith('chromium', 'another site', () => {
  let gateway: TestGateway;
  let browser: Browser;
  let site: Server;
  let siteUrl = '';

  beforeAll(async () => {
    [gateway, browser] = await Promise.all([
      startGateway(`${testPreamble}routes: [{ path: /health, public: true, respond: { status: 204 } }]\n`),
      launch(),
    ]);
    const address = `${gateway.adminUrl}/-/console`;
    site = createServer((request, response) => {
      response.setHeader('content-type', 'text/html');
      response.end(
        request.url === '/frame'
          ? `<iframe src="${address}"></iframe>`
          : `<form method="post" action="${address}/routes"><input name="path" value="/health"><button>Win</button></form>`,
      );
    });
    await new Promise<void>((resolve) => void site.listen(0, '127.0.0.1', resolve));
    // To browsers `localhost` is another site than 127.0.0.1.
    siteUrl = `http://localhost:${(site.address() as AddressInfo).port}`;
  });
  afterAll(async () => {
    await browser.close();
    site.close();
    site.closeAllConnections();
    await gateway.stop();
  });

  it('has its form refused', async () => {
    const { context } = await visitor(browser);
    const page = await context.newPage();
    await page.goto(siteUrl);
    const [answer] = await Promise.all([
      page.waitForResponse(`${gateway.adminUrl}/-/console/routes`),
      page.getByRole('button', { name: 'Win' }).click(),
    ]);
    expect(answer.request().headers()).toMatchObject({ origin: siteUrl });
    expect(answer.status()).toBe(403);
    await page.getByText('Another site sent this form.').waitFor();
    await context.close();
  });

  it('has the console kept out of its frames', async () => {
    const { context, complaints } = await visitor(browser);
    const page = await context.newPage();
    await page.goto(`${siteUrl}/frame`);
    await until('the browser says so', () => /frame-ancestors|X-Frame-Options/i.test(complaints.join('\n')));
    expect(await page.frameLocator('iframe').getByRole('heading', { name: 'Overview' }).count()).toBe(0);
    await context.close();
  });
});
