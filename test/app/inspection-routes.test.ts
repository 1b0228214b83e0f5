import { connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { readDeclaration } from '../../src/inspection/declaration-text.ts';
import { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import { startBridge } from '../support/test-bridge.ts';

const LISTENER = 'listeners: [{ link: "tcp-listen:127.0.0.1:0", unknown: refuse }]';
const PATIENT = { timeout: 30_000 };

async function json(url: string) {
  const response = await fetch(url);
  // biome-ignore lint/suspicious/noExplicitAny: what is expected of it is what is tested
  return { status: response.status, body: (await response.json()) as any };
}

describe('what the page asks for', () => {
  it('is how the bytes of a device are read', async () => {
    await using bridge = await startBridge(
      `${LISTENER}\ndevices: [{ id: psu-1, link: "tcp:127.0.0.1:1", session: none, messages: "m.yaml" }]`,
      '{ port: 0 }',
      undefined,
      new Map([
        [
          'm.yaml',
          {
            protocol: new DeclaredProtocol({
              byteOrder: 'big',
              framing: { type: 'delimiter', delimiter: Uint8Array.of(10) },
              maxFrame: 64,
              enums: {},
              errors: {},
              messages: [{ name: 'line', fields: [{ name: 'text', type: 'text', length: 'rest' }] }],
            }),
            problems: [],
          },
        ],
      ]),
    );
    const { status, body } = await json(`${bridge.url}/api/devices/psu-1/protocol`);
    expect([status, body.meta]).toEqual([
      200,
      expect.objectContaining({ session: 'none', transport: 'tcp', line: 'stream' }),
    ]);
    const { messages, framing } = readDeclaration(body.declaration);
    expect([messages.map(({ name }) => name), framing]).toEqual([
      ['line'],
      { type: 'delimiter', delimiter: Uint8Array.of(10) },
    ]);
    expect((await json(`${bridge.url}/api/devices/nothing/protocol`)).status).toBe(404);
  });

  it('is what an unknown device sent first, while it is there and after it left', async () => {
    await using bridge = await startBridge(LISTENER);
    const socket = connect(bridge.devicePort, '127.0.0.1');
    socket.on('error', () => undefined);
    socket.write(Buffer.from('0102030405', 'hex'));
    const first = async (): Promise<unknown> =>
      (await json(`${bridge.url}/api/found`)).body.unknown[0]?.bytes;
    await expect.poll(first, PATIENT).toBe('0102030405');
    socket.destroy();
    await expect
      .poll(async () => (await json(`${bridge.url}/api/found`)).body.unknown[0]?.ended, PATIENT)
      .toBeGreaterThan(0);
    expect(await first()).toBe('0102030405');
  });

  it('is the last lines of the log', async () => {
    await using bridge = await startBridge(LISTENER);
    const { length } = bridge.log;
    connect(bridge.devicePort, '127.0.0.1')
      .on('error', () => undefined)
      .end('00');
    await expect.poll(() => bridge.log.length, PATIENT).toBeGreaterThan(length);
    const { body } = await json(`${bridge.url}/api/log`);
    expect(body.lines.length).toBeGreaterThan(0);
    const last = body.lines.at(-1).n;
    expect((await json(`${bridge.url}/api/log?after=${last + 1_000}`)).body.lines).toEqual([]);
    expect((await json(`${bridge.url}/api/log?after=x`)).status).toBe(400);
  });

  it('needs a token that reads all of it', async () => {
    await using bridge = await startBridge(
      `${LISTENER}\naccess: { tokens: [{ name: one, hash: "sha256:${'0'.repeat(64)}", roles: read, topics: ["devices/psu-1/#"] }] }`,
    );
    for (const path of ['/api/log', '/api/found', '/api/devices/psu-1/protocol'])
      expect([path, (await json(`${bridge.url}${path}`)).status]).toEqual([path, 401]);
  });
});
