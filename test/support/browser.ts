/** Debian's Chromium, headless, for tests of the page: one process, one empty profile for each visitor. */
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core';
import { findProgram } from './debian.ts';

/** No look-ups, no updates, no telemetry: the machine is closed, and a test talks to loopback alone. */
const flags = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: findProgram('chromium')!, args: flags, headless: true });
}

/** A visitor with cookies of their own. Fails on whatever the page complains about: its policy, its scripts, its files. */
export async function visitor(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<{ readonly context: BrowserContext; readonly complaints: readonly string[] }> {
  const context = await browser.newContext({ reducedMotion: 'reduce', ...options });
  context.setDefaultTimeout(10_000);
  const complaints: string[] = [];
  context.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  context.on('weberror', (error) => complaints.push(error.error().message));
  return { context, complaints };
}
