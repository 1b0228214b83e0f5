import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { main } from '../../src/cli/main.ts';
import { loadConfig } from '../../src/config/load.ts';
import { RecordedIo } from '../support/recorded-io.ts';
import { startBridge, type TestBridge } from '../support/test-bridge.ts';

class IoWithToken extends RecordedIo {
  override readonly env: Readonly<Record<string, string | undefined>>;

  constructor(cwd: string, token?: string) {
    super(cwd);
    this.env = { HEARTWIRE_TOKEN: token };
  }
}

async function run(...argv: string[]) {
  const io = new RecordedIo();
  const code = await main(argv, io);
  return { code, out: io.printed, err: io.logged };
}

describe('heartwire token', () => {
  it('prints the token alone, and beside it the lines that devices.yaml takes', async () => {
    const { code, out, err } = await run(
      'token',
      '--name',
      'panel',
      '--topics',
      'devices/#',
      'bridge/status',
    );
    expect(code).toBe(0);
    expect(out).toMatch(/^hw_[A-Za-z0-9_-]{43}\n$/);
    expect(err).not.toContain(out.trim());
    const yaml = `${err}\nlisteners:\n  - link: tcp-listen:127.0.0.1:0\n`;
    const { config, problems } = loadConfig(yaml, 'devices.yaml');
    expect(problems).toEqual([]);
    expect(config?.access?.tokens).toEqual([
      {
        name: 'panel',
        hash: createHash('sha256').update(out.trim()).digest('hex'),
        role: 'read',
        topics: ['devices/#', 'bridge/status'],
      },
    ]);
    expect((await run('token')).out).not.toBe(out);
  });

  it('prints the same for a machine', async () => {
    const { out } = await run('token', '--json', '--role', 'admin', '--expires', '2999-01-31');
    const { token, entry } = JSON.parse(out);
    const yaml = JSON.stringify({
      access: { tokens: [entry] },
      listeners: [{ link: 'tcp-listen:127.0.0.1:0' }],
    });
    expect(loadConfig(yaml, 'devices.yaml').config?.access?.tokens).toMatchObject([
      {
        hash: createHash('sha256').update(token).digest('hex'),
        role: 'admin',
        expiresAtMs: Date.UTC(2999, 0, 31),
      },
    ]);
  });

  it.each([
    [['--name', 'a b'], 'no name of a token'],
    [['--topics', 'a/#/b'], 'Not a pattern'],
    [['--expires', 'soon'], 'no date'],
    [['--expires', '2999-02-30'], 'no date'],
    [['--expires', '2020-01-31'], 'would have come to its end already'],
    [['--role', 'root'], 'Choices: "read", "command", "admin"'],
  ])('%j is wrong usage', async (args, why) => {
    const { code, out, err } = await run('token', ...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain(why);
  });
});

describe('a bridge that asks for a token', () => {
  const secret = `hw_${'s'.repeat(43)}`;
  const hash = createHash('sha256').update(secret).digest('hex');
  let bridge: TestBridge;
  let folder: string;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'heartwire-token-'));
    await writeFile(join(folder, 'ops.token'), `${secret}\n`);
    await writeFile(join(folder, 'two.token'), 'two words\n');
    bridge = await startBridge(
      `access:\n  tokens:\n    - { name: ops, hash: "sha256:${hash}", roles: admin, topics: "#" }\nlisteners:\n  - link: tcp-listen:127.0.0.1:0\n`,
    );
  });
  afterAll(async () => {
    await bridge[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  const commands = [
    ['send', 'psu-1', 'heartbeat'],
    ['note', 'psu-1', 'wiggled'],
    ['tail', 'bridge/status', '--count', '1'],
  ];

  it.each(commands)('is shown under the Origin that is named: %s', async (...argv) => {
    const io = new IoWithToken(folder, secret);
    expect(await main([...argv, '--url', bridge.url, '--origin', 'https://else.example'], io)).toBe(1);
    expect(io.logged).toContain('HTTP status 403');
  });

  it.each(commands)('gets it from HEARTWIRE_TOKEN or a file, and from nowhere else: %s', async (...argv) => {
    const attempt = async (token?: string, ...more: string[]) => {
      const io = new IoWithToken(folder, token);
      const code = await main([...argv, '--url', bridge.url, ...more], io);
      expect(`${io.printed}${io.logged}`).not.toContain('sss');
      return { code, told: `${io.printed}${io.logged}` };
    };
    const without = await attempt();
    expect(without).toEqual({ code: 1, told: expect.stringMatching(/token/) });
    expect(without.told).toContain('--token-file');
    expect((await attempt('hw_wrong')).told).toMatch(/refused this connection|not accepted/);
    // It got through: what it is told now is of the device, which is not there.
    for (const { told } of [await attempt(secret), await attempt(undefined, '--token-file', 'ops.token')]) {
      expect(told).toMatch(argv[0] === 'tail' ? /bridge\/status/ : /psu-1/);
    }
    expect((await attempt(undefined, '--token-file', 'nowhere')).code).toBe(2);
    expect((await attempt(undefined, '--token-file', 'two.token')).code).toBe(2);
    expect((await attempt(undefined, '--token', secret.slice(0, 9))).code).toBe(2);
    // What no header can carry is said in a sentence.
    for (const odd of ['hw_\u00e9', 'two\nlines']) {
      expect(await attempt(odd)).toEqual({
        code: 2,
        told: expect.stringMatching(/no token in HEARTWIRE_TOKEN/),
      });
    }
    expect(await attempt(secret, '--origin', 'https://\u00e9')).toEqual({
      code: 2,
      told: expect.stringMatching(/--origin is an origin such as/),
    });
    expect((await attempt(secret, '--origin', 'https://a', '--origin', 'https://b')).code).toBe(2);
  });

  it('has never logged it', () => {
    expect(JSON.stringify(bridge.log)).not.toMatch(/hw_|sss/);
  });
});

describe('a bridge that serves other machines', () => {
  it('does not start without a token, whoever says so', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'heartwire-open-'));
    const io = new RecordedIo(folder);
    await writeFile(join(folder, 'devices.yaml'), 'listeners:\n  - link: tcp-listen:127.0.0.1:0\n');
    expect(await main(['run', '--host', '0.0.0.0', '--port', '0'], io)).toBe(2);
    expect(io.logged).toContain('may use the bridge without a token');
    expect(io.logged).toContain('heartwire token');
    expect(io.printed).toBe('');
    await rm(folder, { recursive: true });
  });

  it('starts where that is spelled out, and says so', async () => {
    await using bridge = await startBridge(
      'access: { insecure: true }\nlisteners:\n  - link: tcp-listen:127.0.0.1:0\n',
      '{ port: 0, host: 0.0.0.0 }',
    );
    expect(bridge.log.filter(({ level }) => level === 'warn').map(({ text }) => text)).toEqual([
      expect.stringContaining('insecure: true'),
    ]);
  });
});
