import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { JwtVerifier } from '../../src/access/jwt-verifier.ts';
import { readConfig } from '../../src/config/read.ts';
import { readRegular } from '../../src/system/files.ts';
import { readTlsPair } from '../../src/system/tls.ts';
import { runCli } from '../cli/check-io.ts';

const folder = mkdtempSync(join(tmpdir(), 'heartwire-kinds-'));
const server = createServer();
beforeAll(async () => {
  execFileSync('mkfifo', [join(folder, 'pipe')]);
  await new Promise<void>((resolve) => server.listen(join(folder, 'socket'), resolve));
  writeFileSync(join(folder, 'fine'), 'fine');
  writeFileSync(
    join(folder, 'devices.yaml'),
    'messages: pipe\nsecrecy: { keys: [{ id: a, file: pipe }], topics: [{ pattern: devices/a/messages, key: a }] }\n',
  );
});
afterAll(() => {
  server.close();
  rmSync(folder, { recursive: true });
});

const KINDS = [
  ['pipe', /pipe/],
  ['socket', /socket/],
  ['/dev/zero', /device/],
] as const;

describe.skipIf(process.platform === 'win32')('what is no regular file is refused at once', () => {
  it.each(KINDS)('%s', async (name, what) => {
    const path = name.startsWith('/') ? name : join(folder, name);
    await expect(readRegular(path, 100)).rejects.toMatchObject({
      reason: 'kind',
      message: expect.stringMatching(what),
    });
    await expect(readConfig(path)).rejects.toMatchObject({
      code: 'config_unreadable',
      message: expect.stringMatching(what),
    });
    expect(await readTlsPair({ cert: path, key: path })).toMatchObject({
      error: { code: 'tls_unreadable', message: expect.stringMatching(what) },
    });
    const jwt = {
      key: { kind: 'secret', path },
      algorithms: ['HS256'],
      rolesClaim: 'roles',
      topicsClaim: 'topics',
      clockToleranceMs: 0,
    } as const;
    await expect(JwtVerifier.open(jwt)).rejects.toMatchObject({
      code: 'config_key_unreadable',
      message: expect.stringMatching(what),
    });
  });

  it.each([
    [['check', 'pipe'], 2],
    [['run', 'pipe'], 2],
    [['decode', 'pipe'], 1],
    [['decode', '00', '--messages', 'pipe'], 2],
    [['import', 'pipe'], 1],
    [['replay', 'pipe'], 1],
    [['export', 'pipe', '--to', 'csv'], 1],
    [['tail', 'bridge/status', '--token-file', 'pipe'], 2],
    [['tail', 'bridge/status', '--key-file', 'pipe'], 2],
  ])('heartwire %j', async (argv, code) => {
    const outcome = await runCli(argv, folder);
    expect(outcome.err).toMatch(/it is a pipe, not a regular file/i);
    expect(outcome.code).toBe(code);
  });

  it('also where a configuration names it', async () => {
    const { problems } = await readConfig(join(folder, 'devices.yaml'));
    const refused = problems.filter(({ message }) => /is a pipe/i.test(message)).map(({ path }) => path);
    expect(refused).toEqual(['messages', 'secrecy.keys[0].file']);
  });
});

it('a file that is larger than what is wanted is not read', async () => {
  await expect(readRegular(join(folder, 'fine'), 3)).rejects.toMatchObject({ reason: 'size' });
  expect(String(await readRegular(join(folder, 'fine'), 4))).toBe('fine');
});
