import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { hasChromium, launchChromium } from '../support/chromium.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

const SECRET = 'do not tell';

describe.runIf(hasChromium)('a page of another origin', () => {
  let browser: Browser;
  let elsewhere: Server;
  let origin: string;
  let bridge: TestBridge;
  let page: Page;

  beforeAll(async () => {
    browser = await launchChromium();
    elsewhere = createServer((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/html' }).end('<!doctype html><title>Elsewhere</title>');
    }).listen(0, '127.0.0.1');
    await once(elsewhere, 'listening');
    const address = elsewhere.address();
    if (address === null || typeof address === 'string') throw new Error('The server has no port.');
    origin = `http://127.0.0.1:${address.port}`;
  });
  afterAll(async () => {
    await browser?.close();
    elsewhere?.close();
  });
  beforeEach(async () => {
    bridge = await startBridge(
      'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]',
      '{ port: 0, tcp: { port: 0 } }',
    );
    bridge.bridge.store.publishState('devices/a/state', { device: 'a', word: SECRET });
    page = await browser.newPage();
    await page.goto(origin);
  });
  afterEach(async () => {
    await page?.close();
    await bridge?.[Symbol.asyncDispose]();
  });

  const refusals = (): number => bridge.log.filter(({ text }) => text.includes('refused')).length;
  /** Runs what a page could: the text has `url` and gives a promise. */
  const run = (url: string, text: string): Promise<unknown> =>
    page.evaluate(`((url) => ${text})(${JSON.stringify(url)})`);

  it.each(['127.0.0.1', 'localhost'])('opens no WebSocket to %s', async (name) => {
    const { port } = new URL(bridge.url);
    const ended = await run(
      `ws://${name}:${port}/ws`,
      `new Promise((resolve) => {
        const socket = new WebSocket(url);
        const heard = [];
        socket.onmessage = ({ data }) => void heard.push(data);
        socket.onclose = ({ code }) => resolve({ code, heard });
      })`,
    );
    expect(ended).toEqual({ code: 1006, heard: [] });
  });

  it.each(['cors', 'no-cors'])('fetches nothing that it could read (%s)', async (mode) => {
    for (const path of ['/api/devices', '/api/devices/a', '/healthz', '/', '/api/feed?topics=%23']) {
      const got = await run(
        `${bridge.url}${path}`,
        `fetch(url, { mode: '${mode}' }).then((response) => response.text(), (error) => error.name)`,
      );
      expect([path, got === 'TypeError' || got === '']).toEqual([path, true]);
    }
  });

  it('streams nothing', async () => {
    const state = await run(
      `${bridge.url}/api/feed?topics=devices/%23`,
      `new Promise((resolve) => {
        const source = new EventSource(url);
        source.onmessage = ({ data }) => resolve(data);
        source.onerror = () => resolve(source.readyState);
      })`,
    );
    expect(state).toBe(2);
  });

  it.each([
    ['script', 'src', '/api/devices'],
    ['img', 'src', '/api/devices'],
    ['link', 'href', '/'],
  ])('uses nothing that is served here as a %s', async (tag, attribute, path) => {
    const fate = await run(
      `${bridge.url}${path}`,
      `new Promise((resolve) => {
        const element = Object.assign(document.createElement('${tag}'), { rel: 'stylesheet', ${attribute}: url });
        element.onload = () => resolve('used');
        element.onerror = () => resolve('refused');
        document.head.append(element);
      })`,
    );
    expect(fate).toBe('refused');
  });

  it('frames nothing', async () => {
    await run(
      bridge.url,
      `new Promise((resolve) => {
        const frame = Object.assign(document.createElement('iframe'), { src: url, onload: resolve });
        document.body.append(frame);
      }).then(() => undefined)`,
    );
    const shown = await Promise.all(page.frames().map((frame) => frame.title()));
    expect(shown).not.toContain('Heartwire');
  });

  it('makes its browser say nothing that JSON lines would listen to', async () => {
    const body = JSON.stringify({ type: 'broadcast', payload: { name: 'x', data: 1 } });
    const got = await run(
      `http://127.0.0.1:${bridge.linesPort}/`,
      `fetch(url, { method: 'POST', mode: 'no-cors', body: '${body}' }).then(() => 'answered', (error) => error.name)`,
    );
    expect(got).toBe('TypeError');
    await expect.poll(refusals).toBeGreaterThan(0);
  });
});
