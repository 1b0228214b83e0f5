import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { metricsAnswer } from '../../src/server/http/routes.ts';
import { readProjectFile } from '../support/project-files.ts';
import { startBridge } from '../support/test-bridge.ts';

const LISTENING = 'devices: []\nlisteners: [{ link: "tcp-listen:127.0.0.1:0" }]\n';

describe('what a bridge tells of itself over HTTP', () => {
  it('is the AsyncAPI document that is shipped', async () => {
    await using bridge = await startBridge(LISTENING);
    const answer = await fetch(`${bridge.url}/asyncapi.json`);
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/);
    expect(await answer.text()).toBe(readProjectFile('schemas/asyncapi.json'));
  });

  it('can be asked for with GET and HEAD, and with nothing else', async () => {
    await using bridge = await startBridge(LISTENING);
    for (const path of ['/metrics', '/readyz', '/asyncapi.json']) {
      const head = await fetch(bridge.url + path, { method: 'HEAD' });
      expect([head.status, await head.text()]).toEqual([200, '']);
      expect(Number(head.headers.get('content-length'))).toBeGreaterThan(10);
      expect((await fetch(bridge.url + path, { method: 'POST' })).status).toBe(405);
      expect(head.headers.get('x-content-type-options')).toBe('nosniff');
    }
  });

  it('is kept from web pages of others, and metrics from who has no token', async () => {
    await using bridge = await startBridge(LISTENING);
    const headers = { Origin: 'http://elsewhere.example' };
    expect((await fetch(`${bridge.url}/metrics`, { headers })).status).toBe(403);
    const hash = (token: string) => `sha256:${createHash('sha256').update(token).digest('hex')}`;
    const access = `access:
  tokens:
    - { name: prometheus, hash: "${hash('right')}", roles: [read], topics: [bridge/status] }
`;
    await using closed = await startBridge(access + LISTENING);
    const status = async (token?: string) => {
      const sent = token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } };
      return (await fetch(`${closed.url}/metrics`, sent)).status;
    };
    expect([await status(), await status('wrong'), await status('right')]).toEqual([401, 401, 200]);
    expect((await fetch(`${closed.url}/readyz`)).status).toBe(200);
  });

  it('is an error with a code where it cannot be put together', async () => {
    const failing = { contentType: 'text/plain', text: () => Promise.reject(new Error('no')) };
    const answer = await metricsAnswer(failing).later?.();
    expect(answer).toMatchObject({ status: 500, body: expect.stringContaining('metrics_failed') });
  });
});
