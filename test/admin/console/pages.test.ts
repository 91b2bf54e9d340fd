/** The console in a browser, on the built gateway under real traffic: what it shows is what has happened. */
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { pages } from '../../../gateway/admin/console/layout.ts';
import { thumbprintOfPem } from '../../../gateway/tls/thumbprint.ts';
import { run } from '../../cli/memory-terminal.ts';
import { launch, visitor } from '../../support/browser.ts';
import { describeWith } from '../../support/debian.ts';
import { until } from '../../support/until.ts';
import { figureText, rowTexts } from './console-page.ts';
import { type ConsoleSite, hostileName, secrets, sharedToken, startConsoleSite } from './console-site.ts';

describeWith('chromium', 'the console', () => {
  let site: ConsoleSite;
  let browser: Browser;
  let page: Page;
  let complaints: readonly string[];
  /** Everything that the browser was sent, by address. */
  const sent: { readonly url: string; readonly text: string }[] = [];

  beforeAll(async () => {
    [site, browser] = await Promise.all([startConsoleSite(), launch()]);
    const seen = await visitor(browser, { viewport: { width: 1000, height: 800 } });
    complaints = seen.complaints;
    seen.context.on('response', (response) => {
      // Of a page that was left meanwhile, the body is gone.
      response.text().then(
        (text) => sent.push({ url: response.url(), text }),
        () => {},
      );
    });
    page = await seen.context.newPage();
  });
  afterAll(async () => {
    await browser.close();
    await site.stop();
  });

  const open = async (name: (typeof pages)[number][0]): Promise<void> => {
    await page.goto(`${site.gateway.adminUrl}/-/console${name === '' ? '' : `/${name}`}`);
  };
  const call = (path: string, token?: string, method = 'GET'): Promise<Response> =>
    fetch(site.gateway.url + path, {
      method,
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    });
  const rowOf = (caption: string, heading: string) => rowTexts(page, caption, heading);
  const figureOf = (name: string) => figureText(page, name);

  it('the overview has what became of requests, denials by route and reason among them', async () => {
    for (const status of [401, 200, 200, 200, 404, 502]) {
      const token = status === 200 ? sharedToken() : undefined;
      const path = { 401: '/orders/1', 200: '/orders/1', 404: '/nothing', 502: '/away' }[status]!;
      expect((await call(path, token)).status).toBe(status);
    }
    expect((await call('/orders/1', sharedToken(), 'PUT')).status).toBe(403);
    await open('');
    expect(await rowOf('Requests by how they ended', 'Served')).toEqual(['3', '3', '43 %']);
    expect(await rowOf('Requests by how they ended', 'Refused (4xx)')).toEqual(['3', '3', '43 %']);
    expect(await rowOf('Requests by how they ended', 'Failed (5xx)')).toEqual(['1', '1', '14 %']);
    const refused = page.getByRole('table', { name: 'Refused lately' });
    const rows = await refused.getByRole('row').allInnerTexts();
    const cells = rows.slice(1).map((row) => row.split('\t').slice(0, 5));
    expect(cells).toHaveLength(3);
    expect(cells).toEqual(
      expect.arrayContaining([
        ['credentials_missing', '/orders/*', 'caller', '401', '1'],
        ['scope_insufficient', 'PUT /orders/{id}', 'policy', '403', '1'],
        ['route_not_found', 'none', 'caller', '404', '1'],
      ]),
    );
    expect(await figureOf('Refused')).toMatch(/^43 % 4xx$/);
    expect(await figureOf('99th percentile')).toMatch(/m?s$/);
    expect(await page.getByText('2 of 2 serving').count()).toBe(2);
    expect(await page.getByRole('table', { name: 'Threads' }).getByRole('rowheader').allInnerTexts()).toEqual(
      ['main', 'listener-0', 'listener-1'],
    );
  });

  it('goes on by itself, until it is paused, and stays where its reader is', async () => {
    await open('');
    await page.clock.install();
    await page.reload();
    const served = async (): Promise<string> => (await rowOf('Requests by how they ended', 'Served'))[0]!;
    const before = Number(await served());
    await call('/orders/1', sharedToken());
    await page.clock.runFor(5100);
    await until('it shows one more', async () => Number(await served()) === before + 1);
    await page.getByRole('button', { name: 'Pause updates' }).click();
    expect(await page.getByRole('button', { name: 'Pause updates' }).getAttribute('aria-pressed')).toBe(
      'true',
    );
    await call('/orders/1', sharedToken());
    await page.clock.runFor(20_000);
    expect(Number(await served())).toBe(before + 1);
    const renewed = page.waitForResponse(`${site.gateway.adminUrl}/-/console`);
    await page.getByRole('button', { name: 'Pause updates' }).click();
    await renewed;
    await until('it shows another', async () => Number(await served()) === before + 2);
    await page.clock.resume();
  });

  it('routes have their figures, and are searched', async () => {
    await open('routes');
    const [methods, path, tokens, scopes, answeredBy, requests, refused, failed] = await rowOf(
      'Routes (7)',
      '/orders/*',
    );
    expect([methods, path, tokens, scopes, answeredBy]).toEqual([
      '*',
      '/orders/*',
      'main asked shared',
      'orders:read',
      'orders',
    ]);
    expect(Number(requests)).toBeGreaterThanOrEqual(6);
    expect([refused, failed]).toEqual(['1', '0']);
    await page.getByLabel('Id or path has').fill('INBOX');
    await page.getByRole('button', { name: 'Search' }).click();
    const found = page.getByRole('table', { name: 'Routes with “INBOX” (1)' });
    expect(await found.getByRole('rowheader').allInnerTexts()).toEqual(['/inbox']);
  });

  interface Told {
    readonly checks: readonly { readonly check: string; readonly passed: boolean; readonly detail: string }[];
    readonly answer: { readonly served: boolean; readonly code?: string; readonly status: number | null };
  }

  it('a request is explained as the command line explains it', async () => {
    const good = sharedToken();
    const issued = await site.issuer.token('alice');
    const cases = [
      ['GET', '/orders/7', ''],
      ['GET', '/orders/7', good],
      ['GET', '/orders/7', `Bearer ${issued}`],
      ['PUT', '/orders/alice', good],
      ['GET', '/orders/7', sharedToken({ exp: 1 })],
      ['GET', '/orders/7', `${good.slice(0, -2)}AA`],
      ['GET', '/nothing', ''],
      ['POST', '/odd/../x', ''],
      ['GET', '/odd', ''],
      ['GET', '/inbox', ''],
      ['DELETE', '/orders/alice?q=<b>', good],
    ] as const;
    for (const [method, path, token] of cases) {
      const args = ['explain', '-c', site.gateway.configFile, '--method', method, '--path', path, '--online'];
      const ran = await run([...args, '--format', 'json', '--token', '-'], { env: site.env, input: token });
      const told = JSON.parse(ran.out) as Told;
      await open('routes');
      await page.getByLabel('Method').selectOption(method);
      await page.getByLabel('Path', { exact: true }).fill(path);
      await page.getByLabel(/^Bearer token/).fill(token);
      await page.getByRole('button', { name: 'Explain' }).click();
      const shown = page.locator('#explanation');
      const steps = await shown
        .getByRole('listitem')
        .evaluateAll((items) =>
          items.map((item) =>
            Array.from(
              item.children,
              (cell: { readonly textContent: string | null }) => cell.textContent?.trim() ?? '',
            ),
          ),
        );
      const timeless = (text: string): string => text.replaceAll(/\d+ s (from now|ago)/g, '$1');
      expect(steps.map(([, check, detail]) => [check, timeless(detail!)])).toEqual(
        told.checks.map(({ check, detail }) => [check, timeless(detail)]),
      );
      expect(steps.map(([state]) => state === 'pass')).toEqual(told.checks.map(({ passed }) => passed));
      const outcome = await shown.getByRole('status').innerText();
      const { answer } = told;
      expect(outcome).toContain(answer.served ? 'let through' : `${answer.status} ${answer.code}`);
      expect(await page.getByLabel(/^Bearer token/).inputValue()).toBe('');
      expect(page.url()).toBe(`${site.gateway.adminUrl}/-/console/routes`);
      if (token !== '') expect(await page.content()).not.toContain(token.slice(-40));
    }
  });

  it('so is a token that is bound to a client certificate', async () => {
    const certificate = '-----BEGIN CERTIFICATE-----\nAAECAwQ=\n-----END CERTIFICATE-----';
    const token = sharedToken({ cnf: { 'x5t#S256': thumbprintOfPem(certificate) } });
    const outcomeWith = async (pem: string): Promise<string> => {
      await open('routes');
      await page.getByLabel('Path', { exact: true }).fill('/orders/7');
      await page.getByLabel(/^Bearer token/).fill(token);
      await page.getByText(/^Client certificate/).click();
      await page.getByLabel('PEM').fill(pem);
      await page.getByRole('button', { name: 'Explain' }).click();
      return page.locator('#explanation').getByRole('status').innerText();
    };
    expect(await outcomeWith('')).toContain('401');
    expect(await outcomeWith(certificate)).toContain('let through');
    expect(await outcomeWith(certificate.replace('AAEC', 'BBEC'))).toContain('401');
  });

  it('a rotated key set shows its new key, and an issuer without keys why', async () => {
    await open('keys');
    const keys = page.getByRole('table', { name: 'Keys of main' });
    const before = await keys.getByRole('rowheader').allInnerTexts();
    expect(before).toHaveLength(1);
    const kid = await site.issuer.addKey('ES256');
    await until('the new key is known', async () => {
      const { status } = await call('/orders/1', await site.issuer.token('alice'));
      return status === 200;
    });
    await open('keys');
    expect(await keys.getByRole('rowheader').allInnerTexts()).toEqual([...before, kid]);
    const asked = page.locator('section', { has: page.getByRole('heading', { name: /^asked/ }) });
    expect(await asked.innerText()).toMatch(/no usable keys[\s\S]*never loaded[\s\S]*Last error/);
    const main = page.locator('section', { has: page.getByRole('heading', { name: /^main/ }) });
    expect(await main.innerText()).toMatch(/usable[\s\S]*Age\s+\d+.s[\s\S]*Next refresh\s+in \d+.(min|s)/);
  });

  it('a login under way is in the table, by its provider and without its code', async () => {
    const started = (await (
      await fetch(`${site.gateway.url}/login/start`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ provider: 'device' }),
      })
    ).json()) as { readonly user_code: string };
    await open('logins');
    const flights = page.getByRole('table', { name: 'Flights' });
    const cells = (await flights.getByRole('row').nth(1).innerText()).split('\t');
    expect(cells[0]).toMatch(/^[0-9a-f]{8}$/);
    expect(cells.slice(1, 3)).toEqual(['device', 'pending']);
    expect(await figureOf('pending')).toBe('1');
    expect((await rowOf('Providers', 'device')).slice(0, 3)).toEqual(['device', '1', '0']);
    const text = await page.content();
    expect(text).not.toContain(started.user_code);
    expect(text).not.toContain('team');
  });

  it('an upstream that is away is out, and one that is well has its connections', async () => {
    await until('all states are told', async () => {
      await call('/away');
      await call('/pair');
      await call('/orders/1', sharedToken());
      await open('upstreams');
      const [away] = await rowOf('Connections', 'away');
      const [pair] = await rowOf('Connections', 'pair');
      const [, connections] = await rowOf('Connections', 'orders');
      return away!.endsWith('out') && pair === 'some out' && Number(connections) >= 1;
    });
    expect((await rowOf('Connections', 'URL 1'))[0]).toBe('in use');
    expect((await rowOf('Connections', 'URL 2'))[0]).toMatch(/^out on [12] of 2 threads$/);
    const calls = await rowOf('Calls', 'away');
    expect(calls[0]).toBe('0');
    expect(calls.at(-1)).toMatch(/^unreachable \d+$/);
    expect(await rowOf('Calls', 'orders')).toContain('none');
  });

  it('a reload that failed says where and why, and what is in force stays shown', async () => {
    await open('configuration');
    expect(await page.getByText('none since the start').count()).toBe(1);
    site.gateway.writeConfig(site.config.replace('prefix: /away,', 'prefix: /away, upstraem: away,'));
    expect((await site.gateway.reload()).status).toBe(422);
    await open('configuration');
    const said = await page.locator('pre.said').innerText();
    expect(said).toMatch(/sallyport\.yaml:\d+:\d+: routes\[2\].*upstraem/);
    expect(await page.getByLabel('Effective configuration').innerText()).toContain('prefix: /away');
    site.gateway.writeConfig(site.config.replace('prefix: /away,', 'id: elsewhere, prefix: /away,'));
    await until('the new one is in force', async () => (await site.gateway.reload()).outcome === 'unchanged');
    await open('configuration');
    expect(await page.locator('pre.said').count()).toBe(0);
    const text = await page.getByLabel('Effective configuration').innerText();
    expect(text).toContain('id: elsewhere');
    expect(text).toContain('x-api-key: (not shown)');
    expect(text).toContain('x-environment: (not shown)');
    expect(text).toContain('secret_env: SHARED_SECRET');
    await open('routes');
    expect(await rowOf('Routes (7)', 'elsewhere')).toContain('/away/*');
  });

  it('names with markup in them are text on every page', async () => {
    for (const [name] of pages) {
      await open(name);
      expect(await page.locator('img, [onerror]').count()).toBe(0);
    }
    await open('upstreams');
    expect(await rowOf('Connections', hostileName)).toHaveLength(5);
    await open('routes');
    expect(await rowOf('Routes (7)', hostileName)).toContain('/odd');
    await page.goto(`${site.gateway.adminUrl}/-/console/routes?q=${encodeURIComponent(hostileName)}`);
    expect(await page.getByLabel('Id or path has').inputValue()).toBe(hostileName);
    expect(await page.locator('img').count()).toBe(0);
  });

  it.each(pages)('/%s fits a phone and a desk, and tells a screen reader what it is', async (name, label) => {
    await open(name);
    expect(await page.getByRole('heading', { level: 1 }).allInnerTexts()).toEqual([label]);
    expect(
      await page.getByRole('navigation').getByRole('link', { name: label }).getAttribute('aria-current'),
    ).toBe('page');
    const nameless = await page.evaluate(`[
      ...[...document.querySelectorAll('table')].filter((table) => table.caption === null),
      ...[...document.querySelectorAll('input, select')].filter((field) => field.labels.length === 0),
      ...[...document.querySelectorAll('th')].filter((cell) => cell.scope === ''),
    ].length`);
    expect(nameless).toBe(0);
    for (const colorScheme of ['light', 'dark'] as const) {
      await page.emulateMedia({ colorScheme });
      await page.setViewportSize({ width: 320, height: 640 });
      const overflow = await page.evaluate(
        'document.documentElement.scrollWidth - document.documentElement.clientWidth',
      );
      expect(overflow).toBe(0);
    }
    await page.emulateMedia({ colorScheme: 'light' });
    await page.setViewportSize({ width: 1000, height: 800 });
  });

  it('is worked by keyboard alone', async () => {
    await open('routes');
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('To the content');
    await page.keyboard.press('Enter');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.type('/odd');
    await page.keyboard.press('Enter');
    await page.locator('#explanation').getByText('let through').waitFor();
  });

  it('works without scripts', async () => {
    const { context } = await visitor(browser, { javaScriptEnabled: false });
    const plain = await context.newPage();
    await plain.goto(`${site.gateway.adminUrl}/`);
    expect(await plain.getByRole('heading', { level: 1 }).innerText()).toBe('Overview');
    expect(await plain.getByRole('button', { name: 'Pause updates' }).count()).toBe(0);
    await plain.getByRole('link', { name: 'Routes' }).click();
    await plain.getByLabel('Path', { exact: true }).fill('/odd');
    await plain.getByRole('button', { name: 'Explain' }).click();
    await plain.locator('#explanation').getByText('let through').waitFor();
    await context.close();
  });

  it('nothing of all that had a secret in it, or broke the policy of the page', () => {
    const html = sent.filter(({ url }) => url.includes('/-/console'));
    expect(html.length).toBeGreaterThan(30);
    for (const secret of [...Object.values(secrets), site.env['STORE_KEY']!])
      expect(html.filter(({ text }) => text.includes(secret)).map(({ url }) => url)).toEqual([]);
    const tokens = html.filter(({ text }) => /eyJ[\w-]+\.eyJ/.test(text));
    expect(tokens).toEqual([]);
    expect(complaints).toEqual([]);
    const logged = JSON.stringify(site.gateway.logs);
    expect(logged).not.toMatch(/eyJ[\w-]+\.eyJ/);
  });
});
