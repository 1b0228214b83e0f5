import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readFraming } from '../../src/config/messages/read-framing.ts';
import type { ProtocolDeclaration } from '../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import type { Values } from '../../src/protocol/declared/value.ts';
import { hexText } from '../../src/protocol/describe.ts';
import { makeFraming } from '../../src/protocol/framing/make-framing.ts';
import { bytesOf, CollectingSink } from '../protocol/framing/collecting-sink.ts';
import { readProjectFile } from '../support/project-files.ts';

interface Example {
  readonly from: 'host' | 'device';
  readonly hex: string;
  readonly message: string;
  readonly fields: Values;
}

const file = parse(readProjectFile('examples/jbd-battery/messages.yaml'));
const { frames } = JSON.parse(readProjectFile('examples/jbd-battery/frames.json')) as { frames: Example[] };
const { framing: declared, findings } = readFraming(file.protocol.framing, file.protocol.byte_order);
if (declared === undefined) throw new Error(JSON.stringify(findings));
const framing = makeFraming(declared);
const declaration: ProtocolDeclaration = {
  byteOrder: file.protocol.byte_order,
  framing: declared,
  maxFrame: framing.maxPayload,
  id: file.protocol.id,
  enums: file.enums,
  errors: {},
  messages: file.messages,
};
const protocol = new DeclaredProtocol(declaration);

function payloadsOf(chunks: readonly Uint8Array[]): readonly string[] {
  const sink = new CollectingSink();
  const decoder = framing.makeDecoder(sink, { line: 'serial' });
  for (const chunk of chunks) decoder.push(chunk);
  expect(sink.events).toEqual(sink.frames);
  return sink.frames;
}

const wire = bytesOf(frames.map(({ hex }) => hex).join(' '));
const payloads = frames.map(({ hex }) => hexText(bytesOf(hex).slice(1, -3)));

describe('a battery with a JBD board', () => {
  test('the frames of its document come out of a stream, cut at every byte', () => {
    expect(payloadsOf([wire])).toEqual(payloads);
    for (let at = 1; at < wire.length; at++) {
      expect(payloadsOf([wire.slice(0, at), wire.slice(at)])).toEqual(payloads);
    }
    expect(payloadsOf([...wire].map((byte) => Uint8Array.of(byte)))).toEqual(payloads);
  });

  test.each(frames)('$hex is $message', ({ from, hex, message, fields }) => {
    const payload = bytesOf(hex).slice(1, -3);
    const decoded = protocol.decode(payload, 0, payload.length, from);
    expect(decoded).toMatchObject({ name: 'declared', message, issues: [] });
    expect(decoded.name === 'declared' && decoded.fields).toEqual(fields);
  });

  test.each(frames)('$message is $hex', ({ hex, message, fields }) => {
    expect(hexText(framing.encode(protocol.encode(message, fields)))).toBe(hexText(bytesOf(hex)));
  });

  test('a frame of which a byte is lost costs no other', () => {
    const [, basic = ''] = payloads;
    const whole = bytesOf(frames[1]?.hex ?? '');
    for (let lost = 0; lost < whole.length; lost++) {
      const damaged = Uint8Array.from([...whole].filter((_, index) => index !== lost));
      const sink = new CollectingSink();
      const decoder = framing.makeDecoder(sink, { line: 'serial' });
      for (const chunk of [whole, damaged, whole]) decoder.push(chunk);
      decoder.idle();
      expect(sink.frames).toEqual([basic, basic]);
    }
  });
});
