import { DEFAULT_PROTOCOL } from '../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import { payloadJudge } from '../../src/protocol/declared/payload-judge.ts';
import type { FrameSink } from '../../src/protocol/decoder.ts';
import type { FramingDeclaration } from '../../src/protocol/framing/declaration.ts';
import { makeFraming } from '../../src/protocol/framing/make-framing.ts';

const framing: FramingDeclaration = {
  type: 'gap',
  checksum: { algorithm: 'crc-16/xmodem' },
  maxFrame: 4096,
};

/** A message that any bytes behind its first one are. */
const protocol = new DeclaredProtocol({
  ...DEFAULT_PROTOCOL,
  framing,
  maxFrame: 4096,
  id: { type: 'u8', at: 0 },
  messages: [
    { name: 'any', id: 0, from: 'device', fields: [{ name: 'rest', type: 'bytes', length: 'rest' }] },
  ],
});

const judge = payloadJudge(protocol, 'device');
const sink: FrameSink = { frame() {}, discarded() {}, fault() {} };

/** Reads bytes as one burst between two silences. */
export function readBurst(bytes: Uint8Array): void {
  const decoder = makeFraming(framing).makeDecoder(sink, { line: 'serial', judge });
  decoder.push(bytes);
  decoder.idle();
}
