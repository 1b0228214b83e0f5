import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hasOpenssl } from '../support/certificates.ts';
import { readProjectFile } from '../support/project-files.ts';
import { RunningProgram } from '../support/running-program.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heartwire-deploy-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** What docs/reference/deploy.md says to type for a certificate to try. */
function typed(): { readonly makes: string; readonly reads: string } {
  const block = /```sh\n(openssl req [\s\S]*?)(NODE_EXTRA_CA_CERTS=\S+) heartwire (tail [^\n]*)\n```/.exec(
    readProjectFile('docs/reference/deploy.md'),
  );
  return { makes: block?.[1] ?? 'false', reads: block?.[3] ?? '' };
}

describe.runIf(hasOpenssl)('a certificate to try, as docs/reference/deploy.md says', () => {
  it('is served by the program, and believed by a client that is told of it', async () => {
    const { makes, reads } = typed();
    execFileSync('sh', ['-c', makes], { cwd: folder, stdio: 'pipe' });
    writeFileSync(
      join(folder, 'devices.yaml'),
      'server: { port: 0, tls: { cert: fullchain.pem, key: privkey.pem }, tcp: { port: 0 } }\n' +
        'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]\n',
    );
    using bridge = new RunningProgram(['run'], folder);
    await expect.poll(() => bridge.out).toMatch(/JSON lines is at tls:\/\/127\.0\.0\.1:\d+/);
    const said = /Heartwire is at (https:\/\/127\.0\.0\.1:(\d+)) \(feed: wss:\/\/127\.0\.0\.1:\d+\/ws\)/.exec(
      bridge.out,
    );
    const port = said?.[2] ?? '';
    const argv = reads.replace('8080', port).split(' ');
    using stranger = new RunningProgram(argv, folder);
    using friend = new RunningProgram(argv, folder, { NODE_EXTRA_CA_CERTS: 'fullchain.pem' });
    await expect.poll(() => friend.out).toContain('bridge/status');
    await expect.poll(() => stranger.err).toMatch(/certificate/);
    expect(stranger.out).toBe('');
    bridge.child.kill('SIGTERM');
    expect(await bridge.exited).toMatchObject({ code: 0 });
  });
});
