import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type PacketTime, TcpStream } from '../../src/capture/tcp-conversations.ts';
import { tcpSegment } from '../../src/capture/tcp-segment.ts';

const PAYLOAD = [0, 0, 0, 1, 1];

function tcp(payload: readonly number[]): number[] {
  const head = [0xc8, 0x22, 0x23, 0x81, 0, 0, 0, 7, 0, 0, 0, 9, 0x60, 0x18, 1, 0, 0, 0, 0, 0];
  return [...head, 1, 1, 1, 0, ...payload];
}

function ipv4(inner: readonly number[]): number[] {
  const total = 20 + inner.length;
  return [0x45, 0, total >> 8, total & 0xff, 0, 1, 0x40, 0, 64, 6, 0, 0, 10, 0, 0, 7, 10, 0, 0, 1, ...inner];
}

function ipv6(inner: readonly number[]): number[] {
  const options = [6, 0, 1, 4, 0, 0, 0, 0];
  const length = options.length + inner.length;
  const address = (last: number) => [0xfe, 0x80, ...new Array(13).fill(0), last];
  return [
    0x60,
    0,
    0,
    0,
    length >> 8,
    length & 0xff,
    0,
    64,
    ...address(7),
    ...address(1),
    ...options,
    ...inner,
  ];
}

const ethernet = (type: readonly number[], inner: readonly number[]) => [
  ...new Array(12).fill(2),
  ...type,
  ...inner,
];
const PAD = [0, 0, 0, 0, 0, 0];

describe('a TCP segment', () => {
  it.each([
    ['Ethernet', 1, ethernet([8, 0], [...ipv4(tcp(PAYLOAD)), ...PAD])],
    ['Ethernet with a VLAN tag', 1, ethernet([0x81, 0, 0, 5, 8, 0], ipv4(tcp(PAYLOAD)))],
    ['Ethernet with two', 1, ethernet([0x88, 0xa8, 0, 5, 0x81, 0, 0, 6, 8, 0], ipv4(tcp(PAYLOAD)))],
    ['Ethernet and IPv6', 1, ethernet([0x86, 0xdd], ipv6(tcp(PAYLOAD)))],
    ['loopback of the BSDs', 0, [2, 0, 0, 0, ...ipv4(tcp(PAYLOAD))]],
    ['loopback, big-endian', 108, [0, 0, 0, 30, ...ipv6(tcp(PAYLOAD))]],
    ['raw IP', 101, ipv4(tcp(PAYLOAD))],
    ['Linux cooked', 113, [0, 0, 3, 4, 0, 6, ...PAD, 0, 0, 8, 0, ...ipv4(tcp(PAYLOAD))]],
    [
      'Linux cooked, version 2',
      276,
      [8, 0, 0, 0, 0, 0, 0, 1, 3, 4, 0, 6, ...PAD, 0, 0, ...ipv4(tcp(PAYLOAD))],
    ],
  ])('is found in %s', (_, linkType, bytes) => {
    const segment = tcpSegment(linkType, Uint8Array.from(bytes));
    expect(segment).toMatchObject({
      fromPort: 51_234,
      toPort: 9_089,
      seq: 7,
      ack: true,
      syn: false,
      missing: 0,
    });
    expect([...(segment?.payload ?? [])]).toEqual(PAYLOAD);
    // Wherever it is cut, it is less or nothing, and no exception.
    for (let length = 0; length < bytes.length; length++) {
      const cut = tcpSegment(linkType, Uint8Array.from(bytes.slice(0, length)));
      if (cut !== undefined) expect(cut.payload.length + cut.missing).toBe(PAYLOAD.length);
    }
  });

  it.each([
    ['UDP', 101, ipv4(tcp(PAYLOAD)).with(9, 17)],
    ['a fragment', 101, ipv4(tcp(PAYLOAD)).with(6, 0x20)],
    ['ARP', 1, ethernet([8, 6], [1, 2, 3])],
    ['another link type', 9, ipv4(tcp(PAYLOAD))],
  ])('is none in %s', (_, linkType, bytes) => {
    expect(tcpSegment(linkType, Uint8Array.from(bytes))).toBeUndefined();
  });
});

const bytesOf = (parts: readonly { kind: string; bytes: Uint8Array | number }[]): number[] =>
  parts.flatMap(({ bytes }) => (typeof bytes === 'number' ? [] : [...bytes]));

const packet = (of: number): PacketTime => ({ epochUs: BigInt(of) * 1_000_000n, packet: of });

describe('a TCP stream', () => {
  it.each([0, 1_000, 0xffff_fff0])(
    'is put in order from sequence number %i, whatever came twice or late',
    (isn) => {
      fc.assert(
        fc.property(
          fc.uint8Array({ minLength: 1, maxLength: 60 }),
          fc.array(fc.tuple(fc.nat(59), fc.integer({ min: 1, max: 20 })), { maxLength: 30 }),
          (data, strays) => {
            const pieces = [...strays, ...Array.from(data, (_, at): [number, number] => [at, 1])];
            // The strays come in any order and overlap; what every byte brings at last fills all gaps.
            const stream = new TcpStream();
            stream.begin(isn);
            const parts = pieces
              .filter(([at]) => at < data.length)
              .flatMap(([at, length], index) =>
                stream.push((isn + at) >>> 0, data.slice(at, at + length), packet(index)),
              );
            expect(bytesOf([...parts, ...stream.finish()])).toEqual([...data]);
            expect(parts.every(({ kind }) => kind === 'bytes')).toBe(true);
          },
        ),
      );
    },
  );

  it('tells what the capture does not hold, and when the rest came', () => {
    const stream = new TcpStream();
    stream.begin(100);
    expect(stream.push(105, Uint8Array.of(6, 7), packet(1))).toEqual([]);
    expect(stream.push(107, Uint8Array.of(8), packet(2))).toEqual([]);
    expect(stream.push(100, Uint8Array.of(1, 2), packet(3))).toEqual([
      { kind: 'bytes', bytes: Uint8Array.of(1, 2), at: packet(3) },
    ]);
    expect(stream.push(108, Uint8Array.of(9), packet(4))).toEqual([]);
    expect(stream.finish()).toEqual([
      { kind: 'gap', bytes: 3, at: packet(3) },
      { kind: 'bytes', bytes: Uint8Array.of(6, 7), at: packet(3) },
      { kind: 'bytes', bytes: Uint8Array.of(8), at: packet(3) },
      { kind: 'bytes', bytes: Uint8Array.of(9), at: packet(4) },
    ]);
  });

  it('has bytes that waited for a segment when that came', () => {
    const stream = new TcpStream();
    stream.begin(100);
    expect(stream.push(102, Uint8Array.of(3), packet(1))).toEqual([]);
    // The SYN once more.
    stream.begin(100);
    expect(stream.push(100, Uint8Array.of(1, 2), packet(5))).toEqual([
      { kind: 'bytes', bytes: Uint8Array.of(1, 2), at: packet(5) },
      { kind: 'bytes', bytes: Uint8Array.of(3), at: packet(5) },
    ]);
  });

  it('holds no more than its bound while a segment is missing', () => {
    const stream = new TcpStream();
    stream.begin(0);
    const megabyte = new Uint8Array(1024 * 1024);
    const parts = Array.from({ length: 5 }, (_, index) =>
      stream.push(1 + index * megabyte.length, megabyte, packet(index)),
    ).flat();
    expect(parts[0]).toEqual({ kind: 'gap', bytes: 1, at: packet(0) });
    expect(parts.slice(1).map(({ at }) => at)).toEqual([0, 1, 2, 3, 4].map(packet));
  });

  it.each([
    ['in their order', (index: number) => index],
    ['in the opposite order', (index: number, count: number) => count - 1 - index],
  ])('takes time that grows with the segments behind one that is missing, %s', (_, place) => {
    const take = (count: number): number => {
      const stream = new TcpStream();
      stream.begin(0);
      const began = performance.now();
      const told = Array.from({ length: count }, (_, index) =>
        stream.push(9 + 9 * place(index, count), new Uint8Array(9), packet(index)),
      ).flat();
      told.push(...stream.finish());
      const took = performance.now() - began;
      expect(bytesOf(told)).toHaveLength(9 * count);
      expect(told[0]).toMatchObject({ kind: 'gap' });
      return took;
    };
    take(1_000);
    const parts = Array.from({ length: 10 }, () => take(5_000)).reduce((sum, ms) => sum + ms, 0);
    expect(take(50_000)).toBeLessThan(6 * parts + 100);
  });
});
