import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { formatProblem } from '../../src/config/problem.ts';
import { readConfig } from '../../src/config/read.ts';

let dir = '';
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'heartwire-config-'));
});
afterEach(() => rm(dir, { recursive: true }));

const METER = `version: 1
protocol: { id: u8, framing: { type: length, length: u16be } }
messages:
  - name: read
    id: 1
    from: host
    reply: { fields: [{ name: power, type: u16 }] }
    fields: [{ name: unit, type: u8, range: [1, 9] }, { type: reserved, length: 8 }]
`;

const OTHER = `  - { name: other, id: 2, from: host, reply: { fields: [{ name: x, type: u16 }] }, fields: [] }
`;

async function read(devices: string, messages = METER) {
  await writeFile(join(dir, 'devices.yaml'), devices);
  await writeFile(join(dir, 'meter.yaml'), messages);
  const { config, problems } = await readConfig(join(dir, 'devices.yaml'), 'devices.yaml');
  return { config, lines: problems.map(formatProblem) };
}

const polled = (poll: string) =>
  `devices:\n  - { id: m, link: /dev/ttyUSB0, session: none, messages: meter.yaml, poll: [${poll}] }\n`;

describe('messages: in devices.yaml', () => {
  it('are read from beside it, and are what the device speaks', async () => {
    const { config, lines } = await read(polled('{ message: read, every: 1s, fields: { unit: 1 } }'));
    expect(lines).toEqual([]);
    const [device] = config?.devices ?? [];
    expect(device?.kind === 'dialled' && device.messages?.messages.map(({ name }) => name)).toEqual(['read']);
  });

  describe('ask by themselves what has `poll`', () => {
    const asking = `${METER}${OTHER.replace('fields: []', 'poll: 2s, fields: []')}`;
    const pollsOf = async (keys: string) => {
      const devices = `devices:\n  - { id: m, link: /dev/ttyUSB0, messages: meter.yaml${keys} }\n`;
      const { config, lines } = await read(devices, asking);
      const [device] = config?.devices ?? [];
      const polls = device?.kind === 'dialled' ? (device.session.bare?.polls ?? []) : [];
      return [lines, polls.map(({ message, everyMs }) => `${message} ${everyMs}`)];
    };

    it.each([
      ['', ['other 2000']],
      [', session: none', ['other 2000']],
      [', session: none, poll: [{ message: other, every: 9s }]', ['other 9000']],
      [
        ', session: none, poll: [{ message: read, every: 1s, fields: { unit: 1 } }]',
        ['read 1000', 'other 2000'],
      ],
    ])('%s', async (keys, polls) => {
      expect(await pollsOf(keys)).toEqual([[], polls]);
    });

    it('unless the message needs values, or comes from the device', async () => {
      const needs = METER.replace('from: host', 'from: host\n    poll: 1s');
      const alone = 'devices:\n  - { id: m, link: /dev/ttyUSB0, messages: meter.yaml }\n';
      expect((await read(alone, needs)).lines.join()).toContain('unit');
      const odd = METER.replace('from: host', 'from: device\n    poll: 1s').replace(/ {4}reply.*\n/, '');
      expect((await read(alone.replace(' }', ', session: none }'), odd)).lines.join()).toContain('poll');
    });
  });

  it.each([
    ['{ message: reed, every: 1s }', 'there is no message reed'],
    ['{ message: read, every: 1s, fields: { unit: 10 } }', 'unit'],
    ['{ message: read, every: 1s }', 'unit'],
  ])('must declare what is polled: %s', async (poll, said) => {
    const { lines } = await read(polled(poll).toString());
    expect(lines).toHaveLength(1);
    expect(lines[0]?.toLowerCase()).toContain(said);
  });

  const ask = (unit: number, as = '') => `{ message: read, every: 1s, fields: { unit: ${unit} }${as} }`;

  it.each([
    ['with other fields', `${ask(1)}, ${ask(2)}`, 'warning', 'as: voltage'],
    [
      'with other fields under one name',
      `${ask(1, ', as: x')}, ${ask(2, ', as: x')}`,
      'warning',
      'under `x`',
    ],
    ['under the name of a message', ask(1, ', as: other'), 'error', 'is a message'],
    [
      'under the name of another poll',
      `${ask(1, ', as: x')}, { message: other, every: 1s, as: x }`,
      'error',
      'stand under `x` already',
    ],
    ['under what is no name', ask(1, ', as: "1 x"'), 'error', 'no name like this'],
  ])('must not be polled %s', async (_, polls, severity, said) => {
    const { lines } = await read(polled(polls), METER.replace('  - name: read', `${OTHER}  - name: read`));
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain(`${severity}: `);
    expect(lines[0]).toContain(said);
  });

  it('may be polled with other fields under names of their own, and twice with the same', async () => {
    const { lines, config } = await read(
      polled(`${ask(1, ', as: one')}, ${ask(2, ', as: two')}, ${ask(2, ', as: two')}`),
    );
    expect(lines).toEqual([]);
    expect(config?.devices[0]?.session.bare?.polls.map((poll) => poll.as)).toEqual(['one', 'two', 'two']);
  });

  it('are listed with what is wrong in them, under their own name', async () => {
    const { config, lines } = await read(polled(''), METER.replace('type: u8', 'type: u9'));
    expect(lines.find((line) => line.startsWith('meter.yaml:8:'))).toContain('u9');
    expect(lines.find((line) => line.startsWith('devices.yaml:2:'))).toContain('meter.yaml has 1 error');
    expect(config?.devices).toEqual([]);
  });

  it('that are not there are an error', async () => {
    const { lines } = await read(polled('').replace('meter.yaml', 'nowhere.yaml'));
    expect(lines.join()).toContain('There is no such file');
  });

  it('need `session: none` where they come in other frames than register and heartbeat', async () => {
    const register = 'register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }';
    const { lines } = await read(
      `devices:\n  - { id: m, link: "tcp:a:1", messages: meter.yaml, ${register} }\n`,
    );
    expect(lines.join()).toContain('Add `session: none`');
  });

  it.each([
    ['the id', '{ name: level, id: 1 }', '`level` has the id or the name of `heartbeat`'],
    ['the name', '{ name: datetime, id: 0x10 }', '`datetime` has the id or the name of `datetime`'],
  ])('may not have %s of a built-in one beside it', async (_, message, said) => {
    const register = 'register: { appid: 996da38d-a7be-4947-aa4c-f8208b5f4ade, imei: "869858030720693" }';
    const file = `messages:\n  - ${message}\n`;
    const devices = (life: string) =>
      `devices:\n  - { id: m, link: "tcp:a:1", messages: meter.yaml, ${life} }\n`;
    const { config, lines } = await read(devices(register), file);
    expect(lines).toEqual([expect.stringContaining(said)]);
    expect(lines[0]).toMatch(/^devices\.yaml:2:\d+: error: devices\[0\]\.messages: /);
    expect(config?.devices).toEqual([]);
    expect((await read(devices('session: none'), file)).lines).toEqual([]);
    const dialsIn = 'messages: meter.yaml\nlisteners:\n  - { link: "tcp-listen:127.0.0.1:9" }\n';
    expect((await read(dialsIn, file)).lines.join()).toContain('or those of built-in messages');
  });

  it('at the top of the file are for all devices that name none', async () => {
    const { config, lines } = await read(
      'messages: meter.yaml\nfiles: { dir: uploads, budget_mb: 8 }\ndevices:\n  - { id: m, link: COM3, session: none }\n',
    );
    expect(lines).toEqual([]);
    expect(config?.files).toEqual({
      dir: 'uploads',
      // No file is larger than all of them may be.
      maxFileBytes: 8 * 1024 * 1024,
      budgetBytes: 8 * 1024 * 1024,
      maxFiles: 10_000,
      deviceShare: 1,
    });
    expect(config?.devices[0]).toHaveProperty('messages');
  });

  it('warn of a largest file that never fits into the budget', async () => {
    const { config, lines } = await read(
      'messages: meter.yaml\nfiles: { dir: uploads, max_file_mb: 8, budget_mb: 10, device_share: 50 }\ndevices:\n  - { id: m, link: COM3, session: none }\n',
    );
    expect(lines).toEqual([
      expect.stringMatching(
        /:2:\d+: warning: files\.max_file_mb: A file of 8 MiB is never stored.*5 MiB in all/,
      ),
    ]);
    expect(config?.files).toMatchObject({ maxFileBytes: 5 * 1024 * 1024, deviceShare: 0.5 });
  });
});
