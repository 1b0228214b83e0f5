import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { JsonLinesSocket } from '../../../src/feed/transports/json-lines-socket.ts';
import { FakeClock } from '../../support/fake-clock.ts';

/** The messages of a client each of which takes so long, and after which of them the loop turned. */
async function hear(text: string, messageMs: number): Promise<readonly string[]> {
  const heard: string[] = [];
  const clock = new FakeClock();
  const server = createServer((socket) => {
    const transportSocket = new JsonLinesSocket({
      socket,
      clock,
      maxMessageBytes: 1_024,
      closeTimeoutMs: 1_000,
    });
    const received = (what: string) => {
      heard.push(what);
      clock.advance(messageMs);
      setImmediate(() => heard.at(-1) !== 'turn' && heard.push('turn'));
    };
    transportSocket.start({
      text: received,
      newline: () => undefined,
      tooLarge: () => received('too large'),
      notUtf8: () => received('not utf8'),
      foreign: () => received('foreign'),
      peerEnded: () => undefined,
    });
    socket.on('end', () => socket.end());
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect({ port: Object(server.address()).port, host: '127.0.0.1' });
  client.end(text);
  client.resume();
  await once(client, 'close');
  server.close();
  return heard;
}

describe('messages that come together as JSON lines', () => {
  const three = '{"a":1}{"a":2}\n{"a":3}';

  it('are heard in one turn of the loop where they are quickly dealt with', async () => {
    expect(await hear(three, 1)).toEqual(['{"a":1}', '{"a":2}', '{"a":3}', 'turn']);
  });

  it('let the loop turn where they are not, and lose nothing', async () => {
    expect(await hear(three, 5)).toEqual(['{"a":1}', 'turn', '{"a":2}', 'turn', '{"a":3}', 'turn']);
  });

  it('are heard in their order up to what ends them', async () => {
    const long = `{"a":"${'x'.repeat(2_000)}"}`;
    expect(await hear(`{"a":1}${long}{"a":2}`, 5)).toEqual(['{"a":1}', 'turn', 'too large', 'turn']);
  });
});
