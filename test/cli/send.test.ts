import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Bridge } from '../../src/app/bridge.ts';
import { main } from '../../src/cli/main.ts';
import { readConfig } from '../../src/config/read.ts';
import { systemClock } from '../../src/system/clock.ts';
import { FileDevice } from '../support/file-device.ts';
import { RecordedIo } from '../support/recorded-io.ts';

const MESSAGES = `version: 1
errors: { -3: locked }
messages:
  - name: set
    id: 0x11
    from: host
    reply: status
    fields:
      - { name: target, type: i16, scale: 0.1, unit: "°C", range: [0, 90] }
      - { name: mode, type: u8, enum: { 0: idle, 1: heating } }
      - { name: steps, type: array, count: u8, of: { type: u8 } }
      - { name: image, type: bytes, length: u16 }
  - name: file_chunk
    id: 0x20
    from: any
    reply: status
    fields:
      - { name: transfer, type: u16 }
      - { name: index, type: u32 }
      - { name: total, type: u32 }
      - { name: data, type: bytes, length: u16, max: 4096 }
      - { name: crc, type: crc, algorithm: crc-32, covers: [id, data] }
`;

let dir = '';
let device: FileDevice;
let bridge: Bridge;
let url = '';

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-send-'));
  device = new FileDevice();
  const port = await device.listen();
  await writeFile(join(dir, 'messages.yaml'), MESSAGES);
  await writeFile(
    join(dir, 'devices.yaml'),
    `server: { port: 0 }
messages: messages.yaml
devices:
  - id: oven-1
    link: tcp:127.0.0.1:${port}
    register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }
    reconnect: { initial: 100ms, max: 100ms, jitter: none }
`,
  );
  const { config, problems } = await readConfig(join(dir, 'devices.yaml'));
  if (config === undefined) throw new Error(JSON.stringify(problems));
  const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };
  bridge = new Bridge({ config, clock: systemClock, log: silent, version: '0.0.0-test' });
  ({ url } = await bridge.start());
});
beforeEach(() => expect.poll(() => bridge.directory.get('oven-1')?.status).toBe('online'));
afterAll(async () => {
  await bridge[Symbol.asyncDispose]();
  await device[Symbol.asyncDispose]();
  await rm(dir, { recursive: true });
});

class SendIo extends RecordedIo {
  override readonly env = { HEARTWIRE_URL: url };
  override readonly terminal: boolean;

  constructor(terminal: boolean) {
    super(dir);
    this.terminal = terminal;
  }
}

async function send(words: readonly string[], { terminal = false } = {}) {
  const io = new SendIo(terminal);
  const code = await main(['send', ...words], io);
  return { code, out: io.printed, err: io.logged };
}

describe('heartwire send', () => {
  it('prints the reply, as JSON in a pipe', async () => {
    const { code, out } = await send(['oven-1', 'heartbeat']);
    expect(JSON.parse(out)).toMatchObject({ error: 0, fields: {} });
    expect(code).toBe(0);
  });

  it('sends declared fields: numbers in their unit, names, lists, bytes and files', async () => {
    await writeFile(join(dir, 'logo.bin'), Buffer.from([9, 8, 7]));
    device.received.length = 0;
    const fields = ['target=21.5', 'mode=heating', 'steps=[1,2]'];
    expect((await send(['oven-1', 'set', ...fields, 'image=0x0a0b'])).code).toBe(0);
    expect((await send(['oven-1', 'set', ...fields, 'image=@logo.bin'])).code).toBe(0);
    const sent = device.received.filter((payload) => payload[0] === 0x11).map((each) => each.toString('hex'));
    expect(sent).toEqual(['1100d701020102' + '00020a0b', '1100d701020102' + '0003090807']);
  });

  it('carries the error of the device with its declared name, and ends with 1', async () => {
    device.errors.set(0x11, -3);
    const words = ['oven-1', 'set', 'target=1', 'mode=idle', 'steps=[]', 'image=0x'];
    const { code, out } = await send(words, { terminal: true });
    device.errors.clear();
    expect(out).toMatch(/^set: error -3 \(locked\) \([\d.]+ ms\)\n$/);
    expect(code).toBe(1);
  });

  it.each([
    [['oven-1', 'set', 'target=91', 'mode=idle', 'steps=[]', 'image=0x'], 'bad_field_value', 'target'],
    [['oven-1', 'bake'], 'message_unknown', 'bake'],
    [['nobody', 'heartbeat'], 'device_unknown', 'nobody'],
    [['oven-1', 'register'], 'request_not_allowed', 'register'],
  ])('says why %j was not sent', async (words, code, named) => {
    const result = await send(words);
    expect(JSON.parse(result.out)).toMatchObject({ code, message: expect.stringContaining(named) });
    expect(result.code).toBe(1);
  });

  it.each(['none.bin', '.'])('says that the file %s cannot be read', async (name) => {
    const words = ['oven-1', 'set', 'target=1', 'mode=idle', 'steps=[]', `image=@${name}`];
    const { code, err } = await send(words);
    expect(code).toBe(1);
    expect(err).toMatch(/^heartwire: "[^"]+" could not be read: E(NOENT|ISDIR)/);
  });

  it.each([
    ['oven1', 'Did you mean oven-1?'],
    ['ovne-1', 'Did you mean oven-1?'],
    ['quite-another', ''],
  ])('names the device that is near %s, and none that is far', async (id, said) => {
    const io = new RecordedIo(dir);
    expect(await main(['send', id, 'set', 'target=21', '--url', url], io)).toBe(1);
    expect(io.logged.includes('Did you mean')).toBe(said !== '');
    expect(io.logged).toContain(said);
  });

  it('sends bytes as they are', async () => {
    device.received.length = 0;
    const { code, out } = await send(['oven-1', '--hex', '00 00 00 02 55 aa'], { terminal: true });
    expect([code, out]).toEqual([0, '6 bytes sent\n']);
    await expect.poll(() => device.received.map((each) => each.toString('hex'))).toContain('55aa');
  });

  it('sends a file over a break, with a bar on a terminal', { timeout: 20_000 }, async () => {
    const file = randomBytes(100_000);
    await writeFile(join(dir, 'firmware.bin'), file);
    let cuts = 1;
    device.cut = (index) => index === 10 && cuts-- > 0;
    const { code, out, err } = await send(['oven-1', '--file', 'firmware.bin'], { terminal: true });
    expect(out).toMatch(/^firmware\.bin: 100\.0 kB sent in [\d.]+ s, over 1 breaks\n$/);
    expect(err).toMatch(/\rfirmware\.bin \[#{30}\] 100 % /);
    expect(device.sha256).toBe(createHash('sha256').update(file).digest('hex'));
    expect(code).toBe(0);
  });

  it.each([
    ['nothing.bin', 'nothing.bin cannot be sent: ENOENT'],
    ['.', '. cannot be sent: it is no file'],
    ['/dev/zero', '/dev/zero cannot be sent: it is no file'],
  ])('says that %s is no file to send', async (path, said) => {
    const { code, out, err } = await send(['oven-1', '--file', path]);
    expect({ code, out, err }).toEqual({
      code: 1,
      out: '',
      err: expect.stringContaining(`heartwire: ${said}`),
    });
  });

  it.each([
    [['oven-1'], 'Nothing says what to send'],
    [['oven-1', '--hex', '0'], 'pairs of hex digits'],
    [['oven-1', 'heartbeat', '--timeout', '0'], '--timeout'],
  ])('takes %j for wrong usage', async (words, said) => {
    const { code, err } = await send(words);
    expect(code).toBe(2);
    expect(err).toContain(said);
  });

  it('says so where no bridge answers', async () => {
    const { code, err } = await send(['oven-1', 'heartbeat', '--url', 'http://127.0.0.1:9']);
    expect(code).toBe(1);
    expect(err).toContain('heartwire run');
  });
});
