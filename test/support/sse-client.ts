import { once } from 'node:events';
import { type IncomingMessage, request } from 'node:http';
import type { ServerMessage } from '../../src/contract/feed/server-messages.ts';
import { checkServerMessage } from './feed-contract.ts';
import { FeedView } from './feed-view.ts';

/** One event of the stream, as it was written. */
export interface SseEvent {
  readonly id: string | undefined;
  readonly message: ServerMessage;
}

/** Follows a stream of server-sent events, and keeps all that it brings. */
export class SseClient {
  readonly response: IncomingMessage;
  readonly events: SseEvent[] = [];
  readonly comments: string[] = [];
  readonly view = new FeedView();
  retryMs: number | undefined;
  readonly closed: Promise<void>;
  #rest = '';

  private constructor(response: IncomingMessage, topics: readonly string[]) {
    this.response = response;
    // The stream is subscribed to by its address; there is no id to reply to.
    this.view.subscribing('', topics);
    response.setEncoding('utf8');
    response.on('data', (text: string) => this.#read(text));
    // A stream has no last byte, so its end is an abortion to the parser.
    response.on('error', () => response.destroy());
    this.closed = once(response, 'close').then(() => undefined);
  }

  static async open(
    port: number,
    topics: readonly string[],
    headers: Record<string, string> = {},
  ): Promise<SseClient> {
    const path = `/api/feed?topics=${topics.map(encodeURIComponent).join(',')}`;
    const outgoing = request({ host: '127.0.0.1', port, path, headers, agent: false });
    outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return new SseClient(response, topics);
  }

  get types(): readonly string[] {
    return this.events.map(({ message }) => message.type);
  }

  #read(text: string): void {
    const blocks = (this.#rest + text).split('\n\n');
    this.#rest = blocks.pop() ?? '';
    for (const block of blocks) this.#take(block.split('\n'));
  }

  #take(lines: readonly string[]): void {
    let id: string | undefined;
    let data: string | undefined;
    for (const line of lines) {
      if (line.startsWith(': ')) this.comments.push(line.slice(2));
      else if (line.startsWith('id: ')) id = line.slice(4);
      else if (line.startsWith('data: ') && data === undefined) data = line.slice(6);
      else if (line.startsWith('retry: ')) this.retryMs = Number(line.slice(7));
      else throw new Error(`no line of an event: ${line}`);
    }
    if (data === undefined) return;
    const message = JSON.parse(data) as ServerMessage;
    checkServerMessage(message);
    this.events.push({ id, message });
    this.view.receive(message);
  }
}
