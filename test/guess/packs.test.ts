import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { readMessages } from '../../src/config/index.ts';
import { chunksOf, guess, receive } from '../../src/guess/index.ts';
import { readInput } from '../../src/inspection/browser.ts';
import {
  type FramingDeclaration,
  findChecksum,
  hexText,
  makeFraming,
  payloadJudge,
  type SingleFraming,
} from '../../src/protocol/index.ts';

/**
 * What `guess` finds in the trace of each pack, without any pack: the type of the framing and the checksum of each kind
 * of frames. The others are left out with the reason.
 */
const FOUND: Readonly<Record<string, string>> = {
  'at-modem': 'delimiter',
  'csv-line': 'delimiter',
  'daly-bms': 'fixed sum-8',
  dlt645: 'sync sum-8',
  'dsmr-p1': 'delimiter crc-16/arc',
  'eastron-sdm': 'gap crc-16/modbus',
  elm327: 'delimiter',
  gt06: 'sync crc-16/ibm-sdlc',
  'jbd-bms': 'sync sum-16-twos',
  'jt808-2013': 'delimiter xor-8',
  'jt808-2019': 'delimiter xor-8',
  'mettler-sics': 'delimiter',
  'mh-z19': 'fixed sum-8-twos',
  'nmea-0183': 'delimiter xor-8',
  'pelco-d': 'fixed sum-8',
  'pzem-004t-v3': 'gap crc-16/modbus',
  'scpi-multimeter': 'delimiter',
  'scpi-supply': 'delimiter',
  slcan: 'delimiter',
  'sunspec-inverter': 'length',
  'sunspec-solaredge': 'length',
  teltonika: 'sync crc-16/arc',
  'ublox-ubx': 'sync fletcher-8-ubx, delimiter xor-8',
};

/** Packs of which the trace does not show the framing. */
const NOT_SHOWN: Readonly<Record<string, string>> = {
  mavlink2: 'the length is found; the checksum covers a constant that is not on the wire',
  mbus: 'one answer, always the same: its length never changes',
  'mbus-saia-ale3': 'one answer, always the same: its length never changes',
  vedirect: 'the lines are found; the checksum of a block is text of its last line',
};

const named = (framing: SingleFraming): string =>
  [framing.type, framing.checksum && findChecksum(framing.checksum.algorithm)?.name]
    .filter(Boolean)
    .join(' ');

function received(name: string) {
  const trace = readdirSync(join('packs', name)).find((each) => each.endsWith('.trace')) ?? '';
  const file = join('packs', name, trace);
  return receive(chunksOf(readInput(readFileSync(file), file).events, 'device'));
}

/** Every frame, marks included, that a framing finds, as hex; of lines their content. */
function framesBy(
  framing: FramingDeclaration,
  { bytes, starts }: ReturnType<typeof received>,
  judge?: unknown,
) {
  const made = makeFraming(framing);
  const frames: string[] = [];
  const decoder = made.makeDecoder(
    {
      frame: (buffer, start, end, kind) => {
        const payload = buffer.slice(start, end);
        const text = framing.type === 'delimiter' && framing.checksum === undefined;
        frames.push(
          text ? new TextDecoder('latin1').decode(payload).trim() : hexText(made.encode(payload, kind)),
        );
      },
      discarded: () => undefined,
      fault: () => undefined,
    },
    { line: 'serial', judge: judge as ReturnType<typeof payloadJudge> },
  );
  for (const [index, start] of starts.entries()) {
    decoder.push(bytes.subarray(start, starts[index + 1]));
    decoder.idle();
  }
  decoder.close();
  return frames;
}

describe('guess, of the trace of each pack, without the packs', () => {
  const rows: string[] = [];
  const names = readdirSync('packs').sort();

  afterAll(() => console.info(rows.join('\n')));

  it('has a word on every pack', () => {
    expect([...Object.keys(FOUND), ...Object.keys(NOT_SHOWN)].sort()).toEqual(names);
    expect(Object.keys(FOUND).length).toBeGreaterThanOrEqual(15);
  });

  it.each(names.map((name) => [name] as const))('%s', async (name) => {
    const input = received(name);
    const { kinds, unexplained } = guess(input);
    const found = kinds.map(({ framing }) => named(framing)).join(', ');
    rows.push(`${name.padEnd(18)} ${found.padEnd(38)} ${unexplained} of ${input.bytes.length} bytes left`);
    if (NOT_SHOWN[name] !== undefined) return;
    expect(found).toBe(FOUND[name]);

    // The same checksums as the pack, and the same frames.
    const { protocol } = await readMessages(join('packs', name, 'messages.yaml'));
    if (protocol === undefined) throw new Error('the pack cannot be read');
    const { framing } = protocol.declaration;
    const declared = framing.type === 'several' ? framing.kinds.map((each) => each.framing) : [framing];
    const sums = declared.map((each) => each.checksum && findChecksum(each.checksum.algorithm)?.name);
    for (const kind of kinds) {
      expect(sums).toContain(kind.framing.checksum && findChecksum(kind.framing.checksum.algorithm)?.name);
    }
    const ours = new Set(kinds.flatMap((kind) => framesBy(kind.framing, input)));
    const theirs = framesBy(framing, input, payloadJudge(protocol, 'device'));
    const same = theirs.filter((frame) => ours.has(frame));
    expect(same.length).toBeGreaterThanOrEqual(theirs.length * 0.8);
    expect(theirs.length).toBeGreaterThan(0);
  });
});
