import { describe, expect, test } from 'vitest';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import { formatProblem } from '../../src/config/problem.ts';
import type { Values } from '../../src/protocol/declared/value.ts';
import { hexText } from '../../src/protocol/describe.ts';
import { makeFraming } from '../../src/protocol/framing/make-framing.ts';
import { type Arrival, bytesOf, CollectingSink } from '../protocol/framing/collecting-sink.ts';
import { projectFiles, readProjectFile } from '../support/project-files.ts';

interface Example {
  readonly from: 'host' | 'device';
  readonly hex: string;
  readonly message: string;
  readonly kind: 'request' | 'reply' | 'notice';
  readonly fields: Values;
  /** Bytes that hold what nobody declares: the frame cannot be written again as it was. */
  readonly open?: string;
}

const folders = projectFiles(['examples'], ['.json'])
  .filter((path) => path.endsWith('/frames.json'))
  .map((path) => path.slice(0, -'/frames.json'.length));

test('there are examples of several framings', () => {
  expect(folders).toEqual(
    expect.arrayContaining([
      'examples/eastron-sdm',
      'examples/gt06',
      'examples/jbd-bms',
      'examples/jtt-808',
      'examples/ublox-ubx',
    ]),
  );
});

describe.each(folders)('%s', (folder) => {
  const path = `${folder}/messages.yaml`;
  const { protocol, problems } = loadMessages(readProjectFile(path), path);
  if (protocol === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  // The file is part of this repository; the tests that read it are its check.
  const { frames } = JSON.parse(readProjectFile(`${folder}/frames.json`)) as { frames: readonly Example[] };
  const framing = makeFraming(protocol.declaration.framing);
  const wires = frames.map(({ hex }) => bytesOf(hex));
  const payloads = wires.map((wire) => payloadsOf([wire, 'idle'])[0] ?? '');

  /** Payloads that come out of a serial line, and nothing else. */
  function payloadsOf(arrivals: readonly Arrival[]): readonly string[] {
    const sink = new CollectingSink();
    const decoder = framing.makeDecoder(sink, { line: 'serial' });
    for (const each of arrivals) {
      if (each === 'idle') decoder.idle();
      else decoder.push(each);
    }
    expect(sink.events).toEqual(sink.frames);
    return sink.frames;
  }

  const payload = (index: number) => Uint8Array.from(Buffer.from(payloads[index] ?? '', 'hex'));

  test('the frames of its document come out of a stream, cut at every byte', () => {
    expect(payloads.every((each) => each !== '')).toBe(true);
    const silences = framing.needsSilence;
    const streams = silences ? wires.map((wire) => [wire]) : [wires];
    for (const stream of streams) {
      const bytes = Uint8Array.from(stream.flatMap((wire) => [...wire]));
      const expected = stream.map((wire) => payloads[wires.indexOf(wire)]);
      for (let at = 0; at <= bytes.length; at++) {
        expect(payloadsOf([bytes.slice(0, at), bytes.slice(at), 'idle'])).toEqual(expected);
      }
      expect(payloadsOf([...[...bytes].map((byte) => Uint8Array.of(byte)), 'idle'])).toEqual(expected);
    }
  });

  test.each(frames.map((frame, index) => ({ index, ...frame })))('$hex is $message', (frame) => {
    const bytes = payload(frame.index);
    const decoded = protocol.decode(bytes, 0, bytes.length, frame.from);
    expect(decoded).toMatchObject({ name: 'declared', message: frame.message, kind: frame.kind, issues: [] });
    expect(decoded.name === 'declared' && decoded.fields).toEqual(frame.fields);
  });

  test.each(frames)('$message $kind is $hex', ({ from, message, kind, fields, hex, open }) => {
    const encoded =
      kind === 'reply' ? protocol.encodeReply(message, 0, fields) : protocol.encode(message, fields);
    if (open === undefined) expect(hexText(framing.encode(encoded))).toBe(hexText(bytesOf(hex)));
    else expect(protocol.decode(encoded, 0, encoded.length, from)).toMatchObject({ message, fields });
  });

  test('a frame of which a byte is lost costs no other', () => {
    const whole = wires.at(-1) ?? new Uint8Array(0);
    for (let lost = 0; lost < whole.length; lost++) {
      const damaged = Uint8Array.from([...whole].filter((_, index) => index !== lost));
      const sink = new CollectingSink();
      const decoder = framing.makeDecoder(sink, { line: 'serial' });
      for (const chunk of [whole, damaged, whole]) {
        decoder.push(chunk);
        if (framing.needsSilence) decoder.idle();
      }
      decoder.idle();
      // A flag is there twice: one that is lost costs nothing at all.
      expect(sink.frames.filter((each) => each === payloads.at(-1)).length).toBeGreaterThanOrEqual(2);
      expect(sink.frames.length).toBeLessThanOrEqual(3);
    }
  });
});
