import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Endpoint } from '../support/endpoint.ts';
import { BrokerWatcher, hasMosquitto, Mosquitto } from '../support/mosquitto.ts';
import { SmtpPeer } from '../support/smtp-peer.ts';
import { startBridge } from '../support/test-bridge.ts';
import { runCli } from './check-io.ts';

const LISTEN = 'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]';
const LATE = { timeout: 30_000 };
const LIMIT = { timeout: 60_000 };

let folder: string;
let endpoint: Endpoint;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-outputs-'));
  endpoint = await Endpoint.start();
});
afterEach(async () => {
  await endpoint[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

const write = (outputs: string): Promise<void> =>
  writeFile(join(folder, 'devices.yaml'), `server: { port: 0 }\n${LISTEN}\noutputs:\n${outputs}\n`);
const hook = () => `  - webhook: { url: "${endpoint.url}/robot/s3cret" }`;
const influx = () => `  - influx: { url: "${endpoint.url}", bucket: b, buffer_dir: buffer }`;

describe('heartwire outputs', () => {
  it('shows each output of a running bridge with its counts', LIMIT, async () => {
    await using bridge = await startBridge(
      `${LISTEN}\noutputs:\n  - influx: { url: "${endpoint.url}", bucket: b, batch: 0s }\n${hook()}`,
    );
    bridge.bridge.store.publishState('devices/a/state', {
      ...{
        device: 'a',
        status: 'online',
        since: 1,
        link: { status: 'connected', transport: 'tcp', since: 1, attempt: 0 },
      },
    });
    await expect.poll(() => endpoint.taken.length, LATE).toBe(1);
    // The answer is counted when it was read.
    await expect
      .poll(async () => (await runCli(['outputs', '--url', bridge.url], folder)).out, LATE)
      .toMatch(/influx +http:\/\/127\.0\.0\.1:\d+ +ready +1 sent, 0 lost, 0 waiting\n/);
    const { code, out } = await runCli(['outputs', '--url', bridge.url, '--json'], folder);
    expect(code).toBe(0);
    expect(out).not.toContain('s3cret');
    expect(
      out
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line).kind),
    ).toEqual(['influx', 'webhook']);
  });

  it('--try sends a test through each, and says which of them fail and why', LIMIT, async () => {
    await using peer = await SmtpPeer.start();
    peer.replies = { RCPT: '550 no such user' };
    await write(
      `${influx()}\n${hook()}\n  - webhook: { url: "http://127.0.0.1:1/x" }\n  - mail: { url: "smtp://127.0.0.1:${peer.port}", from: a@b.c, to: d@e.f }`,
    );
    const { code, out } = await runCli(['outputs', '--try'], folder);
    expect(out.replace(/:\d+/g, ':N').split('\n')).toEqual([
      'ok  influx http://127.0.0.1:N: The database took a point `heartwire_test`.',
      'ok  webhook http://127.0.0.1:N: The other side took a message.',
      expect.stringMatching(/^BAD webhook http:\/\/127\.0\.0\.1:N: output_unreachable: connect ECONNREFUSED/),
      expect.stringMatching(/^BAD mail smtp:\/\/127\.0\.0\.1:N: output_refused: .*550/),
      '',
    ]);
    expect(code).toBe(1);
    const bodies = endpoint.taken.map(({ body }) => body).sort();
    expect(bodies).toEqual([
      expect.stringMatching(/^heartwire_test,device=heartwire ok=true \d+\n$/),
      expect.stringContaining('Test of Heartwire: messages arrive here.'),
    ]);
  });

  it.runIf(hasMosquitto)('--try says nothing of a bridge to a broker', LIMIT, async () => {
    await using broker = await Mosquitto.start();
    await using watcher = await BrokerWatcher.connect(broker.url);
    await write(`  - mqtt: { url: "${broker.url}", commands: true, home_assistant: true }`);
    const { code, out } = await runCli(['outputs', '--try', '--json'], folder);
    expect(JSON.parse(out)).toMatchObject({ kind: 'mqtt', ok: true });
    expect(code).toBe(0);
    await expect.poll(() => watcher.last.get('heartwire/bridge/test'), LATE).toContain('"test":true');
    expect([...watcher.last.keys()]).toEqual(['heartwire/bridge/test']);
  });

  it('--try of a configuration with an error says that', async () => {
    await write('  - webhook: { url: "ftp://x" }');
    const { code, err } = await runCli(['outputs', '--try'], folder);
    expect(code).toBe(2);
    expect(err).toContain('outputs[0].webhook.url');
  });

  it('doctor looks at the other side, the secrets and the folder, and sends nothing', LIMIT, async () => {
    await writeFile(join(folder, 'buffer'), '');
    await write(`${influx()}\n  - webhook: { url: "http://127.0.0.1:1/x", secret_file: key }`);
    const { out } = await runCli(['doctor'], folder);
    const lines = out.split('\n').filter((line) => line.includes('outputs.'));
    expect(lines).toEqual([
      expect.stringMatching(/^BAD outputs\.influx: output_buffer_unusable: .*buffer is no folder/),
      expect.stringMatching(/^ok {2}outputs\.influx: 127\.0\.0\.1:\d+ answers\. `heartwire outputs --try`/),
      expect.stringMatching(/^BAD outputs\.webhook: output_secret_unreadable: .*key could not be read/),
      expect.stringMatching(/^BAD outputs\.webhook: output_unreachable: /),
    ]);
    expect(endpoint.taken).toEqual([]);
  });
});
