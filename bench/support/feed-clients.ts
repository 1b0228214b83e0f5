// A child process of bench/fan-out: opens WebSocket connections by hand and only counts the frames that arrive, so that
// reading is not what is measured.
import { connect, type Socket } from 'node:net';

/** What the bench asks: connect so many, or say when so many frames have arrived on all of them together. */
export type ClientsOrder =
  | { readonly do: 'connect'; readonly port: number; readonly count: number; readonly greeting: string }
  | { readonly do: 'await'; readonly frames: number };

/** What it answers. */
export interface ClientsReport {
  readonly done: 'connect' | 'await';
}

let frames = 0;
let awaited: number | undefined;
const sockets: Socket[] = [];

function report(done: ClientsReport['done']): void {
  process.send?.({ done } satisfies ClientsReport);
}

function count(by: number): void {
  frames += by;
  if (awaited === undefined || frames < awaited) return;
  awaited = undefined;
  frames = 0;
  report('await');
}

/** Counts whole frames; `rest` bytes of the present one are still to come, and a header may be cut anywhere. */
function counter(): (chunk: Buffer) => number {
  let rest = 0;
  let header = Buffer.alloc(0);
  return (chunk) => {
    let whole = 0;
    let at = 0;
    while (at < chunk.length) {
      if (rest > 0) {
        const step = Math.min(rest, chunk.length - at);
        rest -= step;
        at += step;
        if (rest === 0) whole++;
        continue;
      }
      header = Buffer.concat([header, chunk.subarray(at, at + 1)]);
      at++;
      const short = (header[1] ?? 0) & 127;
      const needed = header.length < 2 ? 2 : short < 126 ? 2 : short === 126 ? 4 : 10;
      if (header.length < needed) continue;
      rest = short < 126 ? short : short === 126 ? header.readUInt16BE(2) : Number(header.readBigUInt64BE(2));
      header = Buffer.alloc(0);
      if (rest === 0) whole++;
    }
    return whole;
  };
}

function open(port: number, greeting: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    sockets.push(socket);
    const counted = counter();
    let head = '';
    socket.write(
      'GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n' +
        'Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n',
    );
    const greet = (chunk: Buffer): void => {
      head += chunk.toString('latin1');
      if (!head.includes('\r\n\r\n')) return;
      socket.off('data', greet);
      const payload = Buffer.from(greeting);
      socket.write(Buffer.concat([Buffer.from([0x81, 0x80 | payload.length, 0, 0, 0, 0]), payload]));
      // What comes before the first round (welcome, snapshot) is not counted: the bench waits for its end.
      socket.on('data', (data: Buffer) => count(counted(data)));
      const body = Buffer.from(head.slice(head.indexOf('\r\n\r\n') + 4), 'latin1');
      if (body.length > 0) count(counted(body));
      resolve();
    };
    socket.on('data', greet);
  });
}

process.on('message', (order: ClientsOrder) => {
  if (order.do === 'await') {
    awaited = order.frames;
    count(0);
    return;
  }
  const opened = Array.from({ length: order.count }, () => open(order.port, order.greeting));
  void Promise.all(opened).then(() => report('connect'));
});
process.on('disconnect', () => {
  for (const socket of sockets) socket.destroy();
});
