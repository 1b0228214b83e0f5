import { expect, it } from 'vitest';
import { importCapture } from '../../src/capture/import-capture.ts';
import { toHex } from '../../src/trace/bytes-text.ts';
import { CAPTURED_PORT, type CapturedSegment, pcapOf } from '../support/pcap.ts';

const OPENED: readonly CapturedSegment[] = [
  { atUs: 1_000_000, from: 'client', seq: 99, flags: 'syn' },
  { atUs: 1_000_100, from: 'server', seq: 499, flags: 'syn' },
];
const told = (segments: readonly CapturedSegment[]) =>
  importCapture(pcapOf([...OPENED, ...segments]), 'x.pcap', {
    port: CAPTURED_PORT,
    dialled: true,
  }).events.map(({ atUs, fact }) => [
    atUs,
    fact.kind,
    'bytes' in fact ? toHex(fact.bytes) : fact.kind === 'note' ? fact.text : '',
  ]);
const reply = (atUs: number, seq: number, ...bytes: readonly number[]): CapturedSegment => ({
  atUs,
  from: 'server',
  seq,
  bytes: Uint8Array.from(bytes),
});

it('bytes behind one that the capture lost keep the times at which they came', () => {
  expect(
    told([
      reply(1_100_000, 500, 1),
      // 501 is lost for the capture; both sides go on.
      reply(1_300_000, 502, 3),
      { atUs: 1_400_000, from: 'client', seq: 100, bytes: Uint8Array.of(9) },
      reply(1_500_000, 503, 4),
    ]),
  ).toEqual([
    [0, 'life', ''],
    [100, 'life', ''],
    [100_000, 'in', '01'],
    [300_000, 'note', '1 bytes from the peer are missing from the capture'],
    [300_000, 'in', '03'],
    [400_000, 'out', '09'],
    [500_000, 'in', '04'],
  ]);
});

it('bytes behind one that was sent again came with it', () => {
  expect(told([reply(1_100_000, 501, 2), reply(1_300_000, 500, 1)]).slice(2)).toEqual([
    [300_000, 'in', '01'],
    [300_000, 'in', '02'],
  ]);
});

it('130,000 segments behind one that the capture lost are all there, in time that grows with them', () => {
  const taken = (count: number): number => {
    const segments = Array.from({ length: count }, (_, index) => reply(2_000_000 + index, 501 + index, 7));
    const capture = pcapOf([...OPENED, ...segments]);
    const began = performance.now();
    const { events } = importCapture(capture, 'x.pcap', { port: CAPTURED_PORT, dialled: true });
    const took = performance.now() - began;
    const kinds = events.map(({ fact }) => fact.kind);
    expect(kinds.filter((kind) => kind === 'in')).toHaveLength(count);
    expect(kinds.filter((kind) => kind === 'note')).toHaveLength(1);
    return took;
  };
  taken(1_000);
  const parts = Array.from({ length: 3 }, () => taken(13_000)).reduce((sum, ms) => sum + ms, 0);
  // Quadratic, it would take 33 times as long as these parts; linear, 3.3 times.
  expect(taken(130_000)).toBeLessThan(15 * parts + 500);
}, 60_000);
