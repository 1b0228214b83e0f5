import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { BridgeFace } from '../support/bridge-face.ts';
import { PROJECT_ROOT } from '../support/project-files.ts';

const file = join(PROJECT_ROOT, 'dist/src/client/heartwire-client.js');

describe('the client for browsers', () => {
  const text = (): Buffer => {
    expect(existsSync(file), 'npm test bundles it first; so does npm run build').toBe(true);
    return readFileSync(file);
  };

  it('is one small file that imports nothing', () => {
    expect(gzipSync(text(), { level: 9 }).length).toBeLessThan(8 * 1024);
    expect(text().toString()).not.toMatch(/\bimport\b|\brequire\b|node:/);
  });

  it('is served by the bridge, and only to who has another version', async () => {
    await using face = await BridgeFace.open();
    const address = `${face.url}/heartwire-client.js`;
    const first = await fetch(address);
    expect([first.status, first.headers.get('content-type')]).toEqual([
      200,
      'text/javascript; charset=utf-8',
    ]);
    expect(first.headers.get('x-content-type-options')).toBe('nosniff');
    expect(Buffer.from(await first.arrayBuffer()).equals(text())).toBe(true);
    const again = await fetch(address, { headers: { 'If-None-Match': String(first.headers.get('etag')) } });
    expect(again.status).toBe(304);
  });
});
