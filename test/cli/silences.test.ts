import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { replay, traceFixture, traceText } from '../../src/testing/index.ts';
import { CAPTURED_PORT, pcapOf } from '../support/pcap.ts';
import { runCli } from './check-io.ts';

/** Nothing within a burst proves a frame of any length: only silence tells these apart. */
const MESSAGES = `version: 1
protocol: { framing: { type: gap, max_frame: 16 } }
messages:
  - name: reading
    from: device
    reply: none
    fields: [{ name: address, type: u8 }, { name: level, type: u16 }, { name: tail, type: bytes, length: rest }]
`;
const FRAMES = ['03006467', '03006568', '0300c8cb'];
const META = ['--meta', 'transport=serial session=none silence=never'];

let folder: string;
const cli = (...argv: string[]) => runCli(argv, folder);
const write = (name: string, text: string | Uint8Array) => writeFile(join(folder, name), text);

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'heartwire-'));
  await write('m.yaml', MESSAGES);
});
afterEach(() => rm(folder, { recursive: true }));

/** What a replay prints of messages, and of bytes that became none. */
async function replayed(trace: string) {
  const { code, out, err } = await cli('replay', trace, '--messages', 'm.yaml');
  const lines = out
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  return {
    code,
    err,
    levels: lines.flatMap(({ t, received }) => (received?.fields ? [[t, received.fields.level]] : [])),
    discarded: lines.flatMap(({ discarded }) => (discarded ? [[discarded.count, discarded.reason]] : [])),
  };
}

it('a hex log without times gives a frame for each line, and says what was assumed', async () => {
  await write('x.hex', `${FRAMES.join('\n')}\n`);
  const { code, err } = await cli('import', 'x.hex', ...META, '-o', 'x.trace');
  expect(code).toBe(0);
  expect(err).toMatch(/There are no times in it: each line, or dump, is taken to come 250 ms after/);
  const { levels, discarded } = await replayed('x.trace');
  expect(levels.map(([, level]) => level)).toEqual([100, 101, 200]);
  expect(discarded).toEqual([]);
});

it('a dump and a raw log without times are one burst, and that is reported', async () => {
  await write('x.log', Buffer.from(FRAMES.join(''), 'hex'));
  const { err } = await cli('import', 'x.log', '--from', 'raw', ...META, '-o', 'x.trace');
  expect(err).toContain('no silence ends a frame of gap framing');
  const { levels } = await replayed('x.trace');
  expect(levels.map(([, level]) => level)).toEqual([100]);
});

it('times of a hex log join the parts of a frame and tell frames apart', async () => {
  await write(
    'x.hex',
    `10:00:00.000 03 00 64
10:00:00.020 67
10:00:00.200 RX: ${FRAMES[1]}
10:00:01.000 ${FRAMES[2]}
10:00:01.100 04 00 c9
`,
  );
  expect(await cli('import', 'x.hex', ...META, '-o', 'x.trace')).toMatchObject({ code: 0 });
  expect(await replayed('x.trace')).toMatchObject({
    code: 0,
    err: expect.stringMatching(/x\.trace: it has no idle lines: .* for 50 ms, .* gap=/),
    levels: [
      [0.07, 100],
      [0.25, 101],
      [1.05, 200],
      [1.15, 201],
    ],
    discarded: [],
  });
  // Another silence joins the last one as well.
  const longer = ['--meta', `${META[1]} gap=150ms`];
  expect(await cli('import', 'x.hex', ...longer, '-o', 'y.trace')).toMatchObject({ code: 0 });
  expect((await replayed('y.trace')).levels.map(([, level]) => level)).toEqual([100, 101, 200]);
  expect((await replayed('y.trace')).err).toContain('for 150 ms');
});

it('the frames of a capture are told apart by its times', async () => {
  const reply = (atUs: number, seq: number, hex = '') => ({
    atUs,
    from: 'server' as const,
    seq,
    bytes: Buffer.from(hex, 'hex'),
  });
  const capture = pcapOf([
    { atUs: 1_000_000, from: 'client', seq: 9, flags: 'syn' },
    { atUs: 1_001_000, from: 'server', seq: 99, flags: 'syn' },
    reply(2_000_000, 100, FRAMES[0]),
    reply(3_000_000, 104, FRAMES[1]),
  ]);
  await write('x.pcap', capture);
  const port = ['--port', String(CAPTURED_PORT), '--dialled'];
  const { code } = await cli('import', 'x.pcap', ...port, '--meta', 'session=none', '-o', 'x.trace');
  expect(code).toBe(0);
  expect(await replayed('x.trace')).toMatchObject({
    levels: [
      [1.2, 100],
      [2.2, 101],
    ],
    discarded: [],
  });
  const { out, err } = await cli('export', 'x.trace', '--to', 'jsonl', '--messages', 'm.yaml');
  expect(err).toContain('it has no idle lines');
  const levels = out.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line).fields?.level]));
  expect(levels.filter((level) => level !== undefined)).toEqual([100, 101]);
  const device = replay(traceFixture(join(folder, 'x.trace')), { messages: MESSAGES });
  expect(device.playTo(2.1).messages).toHaveLength(1);
  expect(device.playTo(2.3).messages).toHaveLength(2);
});

it('bytes that wait for a delimiter at the end of a trace are reported, by file and in tests', async () => {
  const lines = `version: 1
protocol: { framing: { type: delimiter, delimiter: "\\n" } }
messages: [{ name: line, from: device, reply: none, fields: [{ name: text, type: text, length: rest }] }]
`;
  const trace = `#heartwire-trace 1
#start 2026-01-01T00:00:00.000Z
#meta device=p1 transport=tcp session=none
0 c1 = open 10.0.0.7:4001
1 c1 < "whole\\nhal"
2 c1 * pulled
`;
  await write('m.yaml', lines);
  await write('x.trace', trace);
  expect(await replayed('x.trace')).toMatchObject({ code: 0, discarded: [[3, 'truncated']] });
  const expecting = `${trace}2 c1 ? discarded 3 truncated\n`;
  const device = replay(traceText(expecting), { messages: lines });
  expect(device.finish()).toEqual([]);
  expect(device.discarded).toMatchObject([{ count: 3, reason: 'truncated' }]);
  // The device stays as it was.
  expect(device.state.link.status).toBe('connected');
});
