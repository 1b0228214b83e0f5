import { describe, expect, test } from 'vitest';
import { Wire, type WireOwner } from '../../src/devices/wire.ts';
import { type CodecParts, framingNeedsSilence, makeWireCodec } from '../../src/devices/wire-codec.ts';
import type { Link } from '../../src/links/link.ts';
import { dial } from '../../src/links/transports.ts';
import { builtinProtocol } from '../../src/protocol/builtin.ts';
import { hexText } from '../../src/protocol/describe.ts';
import type { FramingDeclaration } from '../../src/protocol/framing/declaration.ts';
import type { InvalidPayload, Message } from '../../src/protocol/message.ts';
import { bytesOf } from '../protocol/framing/collecting-sink.ts';
import { FakeLink } from '../support/fake-link.ts';
import { hasPtys, openPty } from '../support/pty.ts';
import { serialAddress } from '../support/serial-address.ts';

const modbus: FramingDeclaration = {
  type: 'gap',
  checksum: { algorithm: 'crc-16/modbus', order: 'little' },
  maxFrame: 254,
};
const lines: FramingDeclaration = { type: 'delimiter', delimiter: bytesOf('0a'), first: 'take' };

/** Every payload is a message that says its bytes. */
const plain = (bytes: Uint8Array, start: number, end: number): Message => ({
  name: 'unknown',
  kind: 'unknown',
  id: 0,
  payload: bytes.slice(start, end),
});

/** A wire and what it tells its owner, payloads as hex. */
function wireOn(link: Link, parts: Omit<CodecParts, 'definition'>): { wire: Wire; told: string[] } {
  const told: string[] = [];
  const inWords = (message: Message | InvalidPayload) =>
    message.name === 'unknown'
      ? hexText(message.payload)
      : message.name === 'declared'
        ? message.message
        : message.name;
  const owner: WireOwner = {
    wireOpened: () => void told.push('opened'),
    wireBytes: () => undefined,
    wireMessage: (_, message) => void told.push(inWords(message)),
    wireDiscarded: (_, report) => void told.push(`discarded ${report.count} ${report.reason}`),
    wireFaulted: (_, fault) => void told.push(`fault ${fault.reason}`),
    wireChunk: (_, __, ___, remark) => {
      if (remark !== undefined) told.push(`remark ${remark.reason}`);
    },
    wireClosed: () => void told.push('closed'),
    wireBroke: (_, cause) => void told.push(`broke ${cause}`),
  };
  const wire = new Wire(link, makeWireCodec({ definition: builtinProtocol(), ...parts }), owner);
  wire.open();
  return { wire, told };
}

describe('a wire', () => {
  test('is read by four bytes of length where nothing else is declared', () => {
    const link = new FakeLink();
    const { told } = wireOn(link, { line: 'stream' });
    link.connect();
    link.data(bytesOf('00000001 01'));
    expect(told).toEqual(['opened', 'heartbeat']);
  });

  test('is read by the declared framing, and so are its messages', () => {
    const link = new FakeLink();
    const { told } = wireOn(link, { line: 'serial', framing: lines, decode: plain });
    link.connect();
    link.data(bytesOf('"ab" 0a "c"'));
    link.idle();
    link.data(bytesOf('"d" 0a'));
    expect(told).toEqual(['opened', '6162', 'discarded 1 truncated', '64']);
  });

  test('tells once that the other side speaks telnet, with the chunk that shows it', () => {
    const link = new FakeLink();
    const framing: FramingDeclaration = { type: 'cobs', checksum: { algorithm: 'crc-16/xmodem' } };
    const { wire, told } = wireOn(link, { line: 'stream', framing, decode: plain });
    link.connect();
    link.data(bytesOf('fffb01 fffd03'));
    link.data(bytesOf('fffb00'));
    expect(told).toEqual(['opened', 'remark telnet']);
    wire.close('destroy');
  });

  test('tells that lines end otherwise than declared', () => {
    const link = new FakeLink();
    const { told } = wireOn(link, { line: 'stream', framing: lines, decode: plain });
    link.connect();
    link.data(bytesOf('"ab" 0d "cd" 0d "ef"'));
    expect(told).toEqual(['opened', 'remark wrong_delimiter']);
  });

  test('without another decoder, a payload is one of the built-in messages', () => {
    const link = new FakeLink();
    const { told } = wireOn(link, { line: 'stream', framing: { type: 'slip' } });
    link.connect();
    link.data(bytesOf('c0 01 c0 02 c0'));
    expect(told).toEqual(['opened', 'heartbeat', 'datetime']);
  });

  test('silence is asked of a link only where frames end with it', () => {
    expect(framingNeedsSilence(modbus)).toBe(true);
    expect(framingNeedsSilence(lines)).toBe(false);
    expect(framingNeedsSilence(undefined)).toBe(false);
  });

  test('a payload gets the frame that its framing asks for', () => {
    const definition = builtinProtocol();
    const frame = (framing: FramingDeclaration | undefined) =>
      hexText(
        makeWireCodec({ definition, line: 'stream', framing }).frame?.(bytesOf('01 c0')) ?? new Uint8Array(0),
      );
    expect(frame(undefined)).toBe('0000000201c0');
    expect(frame({ type: 'length', length: 'u32be' })).toBe('0000000201c0');
    expect(frame({ type: 'slip' })).toBe('c001dbdcc0');
  });

  test('where only the messages can tell a frame, a line slides to the next one', () => {
    const link = new FakeLink();
    const decode = (bytes: Uint8Array, start: number): Message | InvalidPayload =>
      bytes[start] === 0x10
        ? {
            name: 'declared',
            kind: 'notice',
            message: `m${bytes[start + 1]}`,
            fields: {},
            raw: {},
            issues: [],
          }
        : { name: 'invalid', kind: 'reply', message: 'x', field: 'id', offset: 0, expected: '', seen: '' };
    const judge = {
      possible: () => true,
      check: (bytes: Uint8Array, start: number, end: number) =>
        bytes[start] === 0x10 ? end - start : ~(end - start),
    };
    const framing: FramingDeclaration = { type: 'length', length: 'u8' };
    const { told } = wireOn(link, { line: 'serial', framing, decode, judge });
    link.connect();
    link.data(bytesOf('021001 0100 021002'));
    // An invalid payload is none that is declared; nothing else could prove the frame.
    expect(told).toEqual(['opened', 'm1', 'discarded 2 bad_content', 'm2']);
  });
});

describe.runIf(hasPtys())('frames that end with silence, on a pty', () => {
  test('come out of a serial line one by one, and two in a burst as well', async () => {
    const pty = openPty();
    const link = dial(serialAddress(pty.path), { gapMs: 50 });
    const { wire, told } = wireOn(link, { line: 'serial', framing: modbus, decode: plain });
    try {
      await expect.poll(() => told).toEqual(['opened']);
      const reply = Buffer.from(bytesOf('11 03 06 ae41 5652 4340 49ad'));
      pty.write(reply.subarray(0, 4));
      pty.write(reply.subarray(4));
      await expect.poll(() => told.slice(1)).toEqual(['110306ae4156524340']);
      pty.write(Buffer.concat([reply, Buffer.from(bytesOf('11 03 006b 0003 7687'))]));
      await expect.poll(() => told.slice(2)).toEqual(['110306ae4156524340', '1103006b0003']);
    } finally {
      wire.close('destroy');
      await expect.poll(() => told.at(-1)).toBe('closed');
      await pty.dispose();
    }
  });
});
