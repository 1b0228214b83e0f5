import { type ClientRequest, type IncomingMessage, request } from 'node:http';
import { connect } from 'node:net';
import { WebSocket } from 'ws';
import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';

/** One connection to the feed, over whatever transport its address says. */
export interface FeedLine {
  readonly speaks: boolean;
  send(message: object): void;
  pause(): void;
  resume(): void;
  /** Without a word. */
  terminate(): void;
}

export interface FeedLineEvents {
  message(message: ServerMessage): void;
  /** The code that closed it; 1006 where there was none. */
  closed(code: number): void;
}

/**
 * Opens `ws://HOST:PORT/ws`, `tcp://HOST:PORT` (JSON lines), or `http://HOST:PORT` (server-sent events of `topics`, from
 * the event `lastId` on).
 */
export function openLine(
  url: string,
  topics: readonly string[],
  lastId: string | undefined,
  events: FeedLineEvents,
): FeedLine {
  const { protocol, hostname: host, port } = new URL(url);
  if (protocol === 'ws:') return overWebSocket(url, events);
  if (protocol === 'tcp:') return overTcp(host, Number(port), events);
  const path = `/api/feed?topics=${topics.map(encodeURIComponent).join()}`;
  const headers = lastId === undefined ? {} : { 'Last-Event-ID': lastId };
  return overHttp(request({ host, port, path, headers, agent: false }), events);
}

function overWebSocket(url: string, events: FeedLineEvents): FeedLine {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('message', (data) => events.message(JSON.parse(String(data)) as ServerMessage));
  // An error is followed by `close`, which is what counts here.
  socket.on('error', () => undefined);
  socket.on('close', (code) => events.closed(code));
  return {
    speaks: true,
    send: (message) => socket.send(JSON.stringify(message)),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    terminate: () => socket.terminate(),
  };
}

function overTcp(host: string, port: number, events: FeedLineEvents): FeedLine {
  const socket = connect({ host, port, noDelay: true });
  const reader = new TextReader('\n', events);
  socket.setEncoding('utf8').on('data', (text: string) => reader.read(text));
  socket.on('error', () => undefined);
  socket.on('close', () => events.closed(reader.closedFor));
  // Asks for the welcome.
  socket.write('\n');
  return {
    speaks: true,
    send: (message) => void socket.write(`${JSON.stringify(message)}\n`),
    pause: () => void socket.pause(),
    resume: () => void socket.resume(),
    terminate: () => void socket.destroy(),
  };
}

function overHttp(outgoing: ClientRequest, events: FeedLineEvents): FeedLine {
  const reader = new TextReader('\n\n', events);
  let incoming: IncomingMessage | undefined;
  outgoing.on('response', (response) => {
    incoming = response;
    response.setEncoding('utf8').on('data', (text: string) => reader.read(text));
    // A stream has no last byte, so its end is an abortion to the parser.
    response.on('error', () => undefined);
  });
  outgoing.on('error', () => undefined);
  outgoing.on('close', () => events.closed(reader.closedFor));
  outgoing.end();
  return {
    speaks: false,
    send: () => undefined,
    pause: () => void incoming?.pause(),
    resume: () => void incoming?.resume(),
    terminate: () => void outgoing.destroy(),
  };
}

/** Lines, or the data of events; a message that was cut off in the middle is none. */
class TextReader {
  closedFor = 1006;
  readonly #end: string;
  readonly #events: FeedLineEvents;
  #rest = '';

  constructor(end: string, events: FeedLineEvents) {
    this.#end = end;
    this.#events = events;
  }

  read(text: string): void {
    const parts = (this.#rest + text).split(this.#end);
    this.#rest = parts.pop() ?? '';
    for (const part of parts) {
      const [data] = /^\{.*$|(?<=^data: ).*$/m.exec(part) ?? [];
      if (data === undefined) continue;
      const message = JSON.parse(data) as ServerMessage;
      if (message.type === 'closing') this.closedFor = message.payload.code;
      this.#events.message(message);
    }
  }
}
