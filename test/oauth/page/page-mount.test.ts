/** The page over HTTP, as a browser gets it: its policy, its files, its forms. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startLoginSite, type LoginSite } from '../http/login-gateway.ts';

let site: LoginSite;
beforeAll(async () => {
  site = await startLoginSite();
});
afterAll(() => site.stop());

const newCookie = (): string => `sallyport=${randomBytes(16).toString('base64url')}`;

function get(path: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> {
  return fetch(`${site.gateway.url}/login${path}`, { headers, redirect: 'manual' });
}

function post(
  path: string,
  fields: Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string>>,
): Promise<Response> {
  const body = new URLSearchParams(fields);
  return fetch(`${site.gateway.url}/login${path}`, { method: 'POST', headers, body, redirect: 'manual' });
}

async function tokenOf(cookie: string): Promise<string> {
  return /name="token" value="([^"]+)"/.exec(await (await get('', { cookie })).text())![1]!;
}

describe('a page', () => {
  it('begins a session once, and is stored and framed by nobody', async () => {
    const first = await get('');
    expect(first.status).toBe(200);
    expect(first.headers.get('set-cookie')).toMatch(/^sallyport=[\w-]{22}; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(first.headers.get('cache-control')).toBe('no-store');
    expect(first.headers.get('referrer-policy')).toBe('no-referrer');
    expect(first.headers.get('x-content-type-options')).toBe('nosniff');
    const policy = first.headers.get('content-security-policy')!;
    for (const rule of [
      "default-src 'none'",
      "script-src 'self'",
      "style-src 'self'",
      "frame-ancestors 'none'",
    ])
      expect(policy).toContain(rule);
    expect(policy).not.toMatch(/unsafe|\*/);
    expect((await get('', { cookie: newCookie() })).headers.get('set-cookie')).toBeNull();
  });

  it('has no script or style of its own, and no handler', async () => {
    const cookie = newCookie();
    const started = await post('/start', { provider: 'device', token: await tokenOf(cookie) }, { cookie });
    const page = await (
      await get(started.headers.get('location')!.slice('/login'.length), { cookie })
    ).text();
    expect(page).toContain('data-code');
    expect(page).not.toMatch(/<style|<script(?![^>]* src=)|\sstyle=|\son\w+=|javascript:/i);
  });

  it('is HEAD without a body, and 404 or 405 elsewhere', async () => {
    const head = await fetch(`${site.gateway.url}/login`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
    expect((await get('/nothing')).status).toBe(404);
    expect((await get('/flows/x/y')).status).toBe(404);
    expect((await get('/start')).status).toBe(404);
    expect((await fetch(`${site.gateway.url}/login`, { method: 'DELETE' })).status).toBe(405);
  });
});

describe('the files of the page', () => {
  it('are named by what is in them, kept for good, and not sent twice', async () => {
    const page = await (await get('')).text();
    const names = [...page.matchAll(/(?:href|src)="\/login(\/page\.[^"]+)"/g)].map(([, name]) => name!);
    expect(names).toHaveLength(2);
    for (const name of names) {
      const file = await get(name);
      expect(file.status).toBe(200);
      expect(file.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
      expect(file.headers.get('set-cookie')).toBeNull();
      const again = await get(name, { 'if-none-match': `W/${file.headers.get('etag')!}` });
      expect([again.status, await again.text()]).toEqual([304, '']);
    }
  });
});

describe('a form', () => {
  it.each<[string, Readonly<Record<string, string>>, boolean, number]>([
    ['with its token', {}, true, 303],
    ['with its token, from a browser that hides where it comes from', { origin: 'null' }, true, 303],
    ['of our page, as the browser says', { 'sec-fetch-site': 'same-origin' }, false, 303],
    ['without a token', {}, false, 403],
    ['with its token, from another site', { 'sec-fetch-site': 'cross-site' }, true, 403],
  ])('%s', async (_, headers, hasToken, status) => {
    const cookie = newCookie();
    const token = hasToken ? await tokenOf(cookie) : 'x';
    const answer = await post('/start', { provider: 'device', token }, { cookie, ...headers });
    expect(answer.status).toBe(status);
  });

  it('of another session is refused', async () => {
    const answer = await post(
      '/start',
      { provider: 'device', token: await tokenOf(newCookie()) },
      { cookie: newCookie() },
    );
    expect(answer.status).toBe(403);
    expect(await answer.text()).toContain('oauth_session_changed');
  });

  it('for a provider that is not there, or of another type, is refused as a page', async () => {
    const cookie = newCookie();
    const token = await tokenOf(cookie);
    const unknown = await post('/start', { provider: '<script>', token }, { cookie });
    expect(unknown.status).toBe(404);
    expect(unknown.headers.get('content-type')).toContain('text/html');
    const typed = await post(
      '/start',
      { provider: 'device', token },
      { cookie, 'content-type': 'text/plain' },
    );
    expect(typed.status).toBe(415);
  });

  it('comes back to a page of this gateway only', async () => {
    const cookie = newCookie();
    const answer = await post('/start', { provider: 'device', token: await tokenOf(cookie) }, { cookie });
    expect(answer.headers.get('location')).toMatch(/^\/login\/flows\/[0-9a-f]{32}(\?joined)?$/);
  });
});
