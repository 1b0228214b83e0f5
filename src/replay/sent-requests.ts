import { type DeclaredMessage, type DeclaredProtocol, makeFraming, payloadJudge } from '../protocol/index.ts';

/** The declared messages in a frame that the bridge sent then. */
export function requestsIn(
  frame: Uint8Array,
  protocol: DeclaredProtocol,
  line: 'stream' | 'serial',
): readonly DeclaredMessage[] {
  const found: DeclaredMessage[] = [];
  const decoder = makeFraming(protocol.declaration.framing).makeDecoder(
    {
      frame: (bytes, start, end, kind) => {
        const message = protocol.decode(bytes, start, end, 'host', undefined, kind);
        if (message.name === 'declared') found.push(message);
      },
      discarded: () => undefined,
      fault: () => undefined,
    },
    { line, judge: payloadJudge(protocol, 'host') },
  );
  decoder.push(frame);
  decoder.idle();
  decoder.close();
  return found;
}
