import { expect, it } from 'vitest';
import { importHex, importRaw, importTimedLines, isHexLine } from '../../src/capture/import-text.ts';
import { HeartwireError } from '../../src/errors.ts';
import { toHex } from '../../src/trace/bytes-text.ts';

const chunks = (text: string) =>
  importHex(text, 'x.hex').events.flatMap(({ fact }) => ('bytes' in fact ? [toHex(fact.bytes)] : []));

const timed = ({ events }: ReturnType<typeof importHex>) =>
  events.flatMap(({ atUs, fact }) => ('bytes' in fact ? [[atUs, fact.kind, toHex(fact.bytes)]] : []));

it('an offset alone ends a dump, and is bytes everywhere else', () => {
  expect(chunks('00000000  00 00 00 01 01  |.....|\n00000005\n')).toEqual(['0000000101']);
  expect(chunks('0000000101\n00000005\n')).toEqual(['0000000101', '00000005']);
});

it.each([
  ['a date', '[2026-02-03 04:05:06.250] 01 04\n[2026-02-03 04:05:07.000] > 02\n', 1_770_091_506_250],
  [
    'a date with its zone',
    '2026-02-03T05:05:06.250+01:00 < 0104\n2026/02/03 04:05:07Z TX: 02\n',
    1_770_091_506_250,
  ],
  ['the time of the day', '[04:05:06.250]收←◆01 04\n[04:05:07,000]发→◇02 □\n'.replace(' □', ''), 14_706_250],
  ['seconds', '14706.25 RX 01 04\n(14707.000000) send: 02\n', 14_706_250],
  ['seconds since the epoch', '1770091506.250 01 04\n1770091507.0 out> 02\n', 1_770_091_506_250],
])('takes the times in front of hex: %s', (_, text, startMs) => {
  const imported = importHex(text, 'x.hex');
  expect(imported.startMs).toBe(startMs);
  expect(imported.warnings).toEqual([]);
  expect(timed(imported)).toEqual([
    [0, 'in', '0104'],
    [750_000, 'out', '02'],
  ]);
  for (const line of text.trim().split('\n')) expect(isHexLine(line)).toBe(true);
});

it('goes over midnight, keeps the order where a clock steps back, and gives lines without a time that of the one before', () => {
  const imported = importHex('23:59:59.5 01\n02\n00:00:00.5 03\n00:00:00.25 04\n', 'x.hex');
  expect(timed(imported)).toEqual([
    [0, 'in', '01'],
    [0, 'in', '02'],
    [1_000_000, 'in', '03'],
    [1_000_000, 'in', '04'],
  ]);
  expect(imported.warnings).toEqual(['x.hex: 1 times lie before the one in front; their order counts.']);
});

it.each(['12:34:56:78', '25:00:00 01', '1.5', 'rx', '7.x 01'])('takes no time out of %j', (text) => {
  expect(() => importHex(`${text}\n`, 'x.hex')).toThrow(HeartwireError);
});

it('says what it assumes of a log without times', () => {
  const lines = importHex('01\n02\n', 'x.hex');
  expect(timed(lines).map(([at]) => at)).toEqual([1_000, 251_000]);
  expect(lines.warnings).toEqual([
    expect.stringMatching(/^x\.hex: There are no times in it: each line, .* 250 ms/),
  ]);
  const dumps = importHex('00000000: 01\n00000001: 02\n00000000: 03\n', 'x.hex');
  expect(timed(dumps).map(([at]) => at)).toEqual([1_000, 2_000, 252_000]);
  const raw = importRaw(new Uint8Array(300), 'x.log');
  expect(timed(raw).map(([at]) => at)).toEqual([1_000, 2_000]);
  expect(raw.warnings).toEqual([expect.stringContaining('no silence ends a frame of gap framing')]);
});

it('takes the times in front of the lines of a raw log, and no byte of their content', () => {
  const log = Buffer.concat([
    Buffer.from('# Name: a meter\n[10:00:00.000] +1.5\r\n'),
    Buffer.from([0xff, 0x0a]),
    Buffer.from('[10:00:01.500]  5\n[10:00:02.000]'),
  ]);
  const imported = importTimedLines(log, 'x.log');
  expect(imported.startMs).toBe(36_000_000);
  expect(timed(imported)).toEqual([
    [0, 'in', Buffer.from('+1.5\r\n').toString('hex')],
    [0, 'in', 'ff0a'],
    [1_500_000, 'in', Buffer.from(' 5\n').toString('hex')],
  ]);
  expect(() => importTimedLines(Buffer.from('no time\n'), 'x.log')).toThrow(
    /No line of it begins with a time/,
  );
});

it('takes time that grows with the lines, also where each looks like an offset', () => {
  const beats = 20_000;
  const began = performance.now();
  expect(chunks('0000000101\n'.repeat(beats))).toHaveLength(beats);
  const many = performance.now() - began;
  const again = performance.now();
  for (let part = 0; part < 10; part++) chunks('0000000101\n'.repeat(beats / 10));
  expect(many).toBeLessThan(4 * (performance.now() - again) + 100);
});

it('judges a long line of hex, whatever stands at its end', () => {
  expect(isHexLine(`${'ab'.repeat(2_000)}z`)).toBe(false);
  expect(isHexLine(`${'ab '.repeat(2_000)} |zz`)).toBe(true);
});
