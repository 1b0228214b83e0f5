// A child process of bench/fan-out-peers: opens connections by hand, and only counts the messages that arrive, so that
// reading is not what is measured. A message counts where a byte at a known place says that it is one.
import { connect, type Socket } from 'node:net';

/** A message has this byte at this place behind the head of its frame, or in its line. */
export interface Mark {
  readonly at: number;
  readonly byte: number;
}

/** How to connect, and what to count. */
export interface ConnectOrder {
  readonly do: 'connect';
  readonly port: number;
  readonly count: number;
  readonly framing: 'frames' | 'lines';
  /** An HTTP request to be answered first; absent where there is no handshake. */
  readonly head?: string;
  /** Written behind the handshake, hex; `%` is replaced by the number of the connection modulo `groups`. */
  readonly greetings: readonly string[];
  /** The first message that says that the connection is ready; absent where the handshake does. */
  readonly ready?: Mark;
  readonly counted: Mark;
}

export type Order =
  | ConnectOrder
  /** Say when exactly so many messages have arrived on all connections together since the last time. */
  | { readonly do: 'await'; readonly messages: number };

export type Report = { readonly done: 'connect' | 'await' } | { readonly failed: string };

let messages = 0;
let awaited: number | undefined;
const sockets: Socket[] = [];

function report(what: Report): void {
  process.send?.(what);
}

function count(): void {
  if (awaited === undefined || messages < awaited) return;
  const surplus = messages - awaited;
  awaited = undefined;
  messages = 0;
  report(surplus === 0 ? { done: 'await' } : { failed: `${surplus} messages too many` });
}

type Seen = (byteAt: (at: number) => number | undefined) => void;

/** Calls with every WebSocket frame, of which the first bytes of the payload are to be had. */
function frames(reach: number, seen: Seen): (chunk: Buffer) => void {
  let carried: Buffer = Buffer.alloc(0);
  let skip = 0;
  return (chunk) => {
    const bytes = carried.length === 0 ? chunk : Buffer.concat([carried, chunk]);
    carried = Buffer.alloc(0);
    let at = 0;
    for (;;) {
      const step = Math.min(skip, bytes.length - at);
      at += step;
      skip -= step;
      if (skip > 0 || at >= bytes.length) return;
      const short = (bytes[at + 1] ?? 0) & 127;
      const head = short < 126 ? 2 : short === 126 ? 4 : 10;
      const left = bytes.length - at;
      const length =
        left < head
          ? 0
          : short < 126
            ? short
            : head === 4
              ? bytes.readUInt16BE(at + 2)
              : bytes.readUInt32BE(at + 6);
      if (left < head || left < head + Math.min(length, reach)) {
        carried = Buffer.from(bytes.subarray(at));
        return;
      }
      const start = at + head;
      seen((offset) => (offset < length ? bytes[start + offset] : undefined));
      at = start;
      skip = length;
    }
  };
}

/** Calls with every line. */
function lines(seen: Seen): (chunk: Buffer) => void {
  let carried: Buffer = Buffer.alloc(0);
  return (chunk) => {
    const bytes = carried.length === 0 ? chunk : Buffer.concat([carried, chunk]);
    let at = 0;
    for (let end = bytes.indexOf(10, at); end !== -1; end = bytes.indexOf(10, at)) {
      const start = at;
      seen((offset) => (start + offset < end ? bytes[start + offset] : undefined));
      at = end + 1;
    }
    carried = Buffer.from(bytes.subarray(at));
  };
}

function open(order: ConnectOrder, greetings: readonly string[]): Promise<void> {
  return new Promise((resolve) => {
    // One address has too few ports for all of very many.
    const localAddress = `127.0.0.${1 + (sockets.length >> 12)}`;
    const socket = connect({ port: order.port, host: '127.0.0.1', localAddress, noDelay: true });
    sockets.push(socket);
    const { ready, counted } = order;
    const seen: Seen = (byteAt) => {
      if (ready !== undefined && byteAt(ready.at) === ready.byte) resolve();
      if (byteAt(counted.at) === counted.byte) messages++;
    };
    const read =
      order.framing === 'lines' ? lines(seen) : frames(Math.max(counted.at, ready?.at ?? 0) + 1, seen);
    const begin = (rest: Buffer): void => {
      for (const each of greetings) socket.write(Buffer.from(each, 'hex'));
      if (ready === undefined) resolve();
      read(rest);
      socket.on('data', (chunk: Buffer) => {
        read(chunk);
        count();
      });
    };
    const { head } = order;
    if (head === undefined) {
      socket.once('connect', () => begin(Buffer.alloc(0)));
      return;
    }
    socket.write(head);
    let answer = Buffer.alloc(0);
    const shake = (chunk: Buffer): void => {
      answer = Buffer.concat([answer, chunk]);
      const end = answer.indexOf('\r\n\r\n');
      if (end === -1) return;
      if (!/^HTTP\/1\.1 (101|200)/.test(answer.toString('latin1'))) {
        report({ failed: answer.toString('latin1', 0, 200) });
        return;
      }
      socket.off('data', shake);
      begin(answer.subarray(end + 4));
    };
    socket.on('data', shake);
  });
}

/** A few at a time, because nobody connects five thousand at once. */
async function openAll(order: ConnectOrder): Promise<void> {
  const { count: total, greetings } = order;
  for (let from = 0; from < total; from += 50) {
    const some = Array.from({ length: Math.min(50, total - from) }, (_, index) =>
      // The groups of subscribers that hear different things take turns.
      open(
        order,
        greetings.length === 0 ? [] : (greetings[(from + index) % greetings.length] ?? '').split(' '),
      ),
    );
    await Promise.all(some);
  }
}

process.on('message', (order: Order) => {
  if (order.do === 'connect') void openAll(order).then(() => report({ done: 'connect' }));
  else {
    awaited = order.messages;
    count();
  }
});
process.on('disconnect', () => {
  for (const socket of sockets) socket.destroy();
});
