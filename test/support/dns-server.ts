import { createSocket, type RemoteInfo } from 'node:dgram';
import { once } from 'node:events';

/** What the server does with a question for a name. */
export type DnsBehaviour =
  | { readonly does: 'answer'; readonly addresses: readonly string[]; readonly ttlS?: number }
  /** Says that there is no such name. */
  | { readonly does: 'deny' }
  /** Says nothing. */
  | { readonly does: 'drop' }
  /** Says that it does not serve whoever asks, or that it is broken. */
  | { readonly does: 'refuse' | 'fail' }
  /** Answers with another address under another id, and then to another question: neither may be believed. */
  | { readonly does: 'lie'; readonly addresses: readonly string[] }
  /** Answers to IPv4 only; questions for IPv6 are dropped. */
  | { readonly does: 'halve'; readonly addresses: readonly string[] };

const TYPE_A = 1;
const TYPE_AAAA = 28;
const HEADER = 12;
const RCODE = { answer: 0, fail: 2, deny: 3, refuse: 5 } as const;

interface Question {
  readonly id: number;
  readonly name: string;
  readonly type: number;
  /** As it came: it stands in the answer too. */
  readonly bytes: Buffer;
}

/** A name server on 127.0.0.1 that does with each name what it is told; names that it was not told of do not exist. */
export class DnsServer implements AsyncDisposable {
  readonly #socket = createSocket('udp4');
  readonly #behaviours = new Map<string, DnsBehaviour>();
  readonly #held: Array<() => void> = [];
  #holds = false;
  /** Names of the questions that came, once each for IPv4. */
  readonly asked: string[] = [];

  private constructor() {
    this.#socket.on('message', (bytes, from) => this.#received(bytes, from));
  }

  static async start(port = 0, host = '127.0.0.1'): Promise<DnsServer> {
    const server = new DnsServer();
    server.#socket.bind(port, host);
    await once(server.#socket, 'listening');
    return server;
  }

  /** `address:port`, as resolvers want it. */
  get address(): string {
    return `127.0.0.1:${this.#socket.address().port}`;
  }

  set(name: string, behaviour: DnsBehaviour): void {
    this.#behaviours.set(name, behaviour);
  }

  /** Answers are kept back until `release`. */
  hold(): void {
    this.#holds = true;
  }

  release(): void {
    this.#holds = false;
    for (const answer of this.#held.splice(0)) answer();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.#socket, 'close');
    this.#socket.close();
    await closed;
  }

  #received(bytes: Buffer, from: RemoteInfo): void {
    const question = readQuestion(bytes);
    if (question.type === TYPE_A) this.asked.push(question.name);
    const behaviour = this.#behaviours.get(question.name) ?? { does: 'deny' };
    const say = (answer: Buffer): void => this.#socket.send(answer, from.port, from.address);
    const act = (): void => answersTo(question, behaviour).forEach(say);
    if (this.#holds) this.#held.push(act);
    else act();
  }
}

function readQuestion(bytes: Buffer): Question {
  const labels: string[] = [];
  let at = HEADER;
  for (let length = bytes[at] ?? 0; length > 0; length = bytes[at] ?? 0) {
    labels.push(bytes.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  const type = bytes.readUInt16BE(at + 1);
  return {
    id: bytes.readUInt16BE(0),
    name: labels.join('.').toLowerCase(),
    type,
    bytes: bytes.subarray(HEADER, at + 5),
  };
}

function answersTo(question: Question, behaviour: DnsBehaviour): readonly Buffer[] {
  switch (behaviour.does) {
    case 'drop':
      return [];
    case 'deny':
    case 'refuse':
    case 'fail':
      return [answer(question, [], 0, RCODE[behaviour.does])];
    case 'answer':
      return [answer(question, behaviour.addresses, behaviour.ttlS ?? 60, RCODE.answer)];
    case 'halve':
      return question.type === TYPE_A ? [answer(question, behaviour.addresses, 60, RCODE.answer)] : [];
    case 'lie': {
      const other = Buffer.from(question.bytes);
      // The first letter of its first label.
      other[1] = 'z'.charCodeAt(0);
      return [
        answer({ ...question, id: question.id ^ 0x5555 }, behaviour.addresses, 60, RCODE.answer),
        answer({ ...question, bytes: other }, behaviour.addresses, 60, RCODE.answer),
      ];
    }
  }
}

function answer(question: Question, addresses: readonly string[], ttlS: number, rcode: number): Buffer {
  const wanted = addresses.filter((address) => address.includes(':') === (question.type === TYPE_AAAA));
  const known = question.type === TYPE_A || question.type === TYPE_AAAA ? wanted : [];
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(question.id, 0);
  header.writeUInt16BE(0x8180 | rcode, 2);
  header.writeUInt16BE(1, 4);
  header.writeUInt16BE(known.length, 6);
  return Buffer.concat([header, question.bytes, ...known.map((each) => record(question.type, each, ttlS))]);
}

function record(type: number, address: string, ttlS: number): Buffer {
  const data = type === TYPE_A ? Buffer.from(address.split('.').map(Number)) : ipv6Bytes(address);
  const head = Buffer.alloc(12);
  // The name of the question.
  head.writeUInt16BE(0xc000 | HEADER, 0);
  head.writeUInt16BE(type, 2);
  head.writeUInt16BE(1, 4);
  head.writeUInt32BE(ttlS, 6);
  head.writeUInt16BE(data.length, 10);
  return Buffer.concat([head, data]);
}

function ipv6Bytes(address: string): Buffer {
  const [front = '', back = ''] = address.split('::');
  const groups = (text: string): number[] =>
    text === '' ? [] : text.split(':').map((group) => Number.parseInt(group, 16));
  const [before, after] = [groups(front), groups(back)];
  const zeros = new Array<number>(8 - before.length - after.length).fill(0);
  const bytes = Buffer.alloc(16);
  for (const [index, group] of [...before, ...zeros, ...after].entries())
    bytes.writeUInt16BE(group, index * 2);
  return bytes;
}
