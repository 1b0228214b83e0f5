import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AccessWorld, secretOf, token } from '../support/access-world.ts';
import { hasChromium, launchChromium } from '../support/chromium.ts';
import { readProjectFile } from '../support/project-files.ts';

/** The two lines of the documentation that open a feed with a token. */
const SNIPPET =
  /```js\n(const encoded[\s\S]*?)```/.exec(readProjectFile('docs/reference/feed.md'))?.[1] ?? '';

describe.runIf(hasChromium)('a page in a real browser', () => {
  let browser: Browser;
  let world: AccessWorld;
  beforeAll(async () => {
    browser = await launchChromium();
    world = await AccessWorld.start({ tokens: [token('panel', 'read', ['devices/#'])] });
  });
  afterAll(async () => {
    await browser.close();
    await world[Symbol.asyncDispose]();
  });

  /** How a feed opened with this token begins, or ends. */
  async function opened(secret: string): Promise<unknown> {
    const page = await browser.newPage();
    // Its policy lets it connect to where it came from, and to nothing else.
    await page.goto(`http://127.0.0.1:${world.port}/`);
    const snippet = SNIPPET.replace('ws://bridge:8080', `ws://127.0.0.1:${world.port}`);
    const seen = await page.evaluate(`(() => {
      const token = ${JSON.stringify(secret)};
      ${snippet.replace('new WebSocket', 'const socket = new WebSocket')}
      return new Promise((resolve) => {
        socket.onmessage = ({ data }) => {
          const { type, payload } = JSON.parse(data);
          if (type === 'welcome') resolve({ auth: payload.auth, protocol: socket.protocol });
        };
        socket.onclose = ({ code }) => resolve({ code });
      });
    })()`);
    await page.close();
    return seen;
  }

  it('shows its token as the documentation says, and is sent back none of it', async () => {
    expect(SNIPPET).toContain('heartwire.token.');
    expect(await opened(secretOf('panel'))).toEqual({ auth: 'ok', protocol: 'heartwire.v1' });
    expect(await opened(`${secretOf('panel')}?>~`)).toEqual({ code: 4500 });
  });
});
