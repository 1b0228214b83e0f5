import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it was sent, dots undone. */
  readonly data: string;
}

/** What it says to a verb in the place of its usual reply: `{ RCPT: '550 no such user' }`. */
export type Replies = Readonly<Record<string, string>>;

/** A mail server of RFC 5321 that takes down what it is sent. Use with `await using`. */
export class SmtpPeer implements AsyncDisposable {
  readonly taken: Mail[] = [];
  /** Every line of the clients. */
  readonly lines: string[] = [];
  replies: Replies = {};
  #muted: Array<() => void> | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => this.#talk(socket));
  }

  static async start(): Promise<SmtpPeer> {
    const peer = new SmtpPeer(createServer());
    await peer.listen(0);
    return peer;
  }

  /** It takes what comes and says nothing; once it may speak again, it says what it kept back. */
  set mute(muted: boolean) {
    const kept = this.#muted ?? [];
    this.#muted = muted ? kept : undefined;
    if (!muted) for (const say of kept.splice(0)) say();
  }

  get port(): number {
    // A listening TCP server has an address with a port.
    return (this.#server.address() as AddressInfo).port;
  }

  listen(port: number): Promise<void> {
    return new Promise((resolve) => this.#server.listen(port, '127.0.0.1', resolve));
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #talk(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const say = (text: string): void => {
      const write = () => void (socket.destroyed || socket.write(`${text}\r\n`));
      if (this.#muted === undefined) write();
      else this.#muted.push(write);
    };
    let rest = '';
    let from = '';
    let to: string[] = [];
    let data: string[] | undefined;
    say('220 peer ESMTP');
    socket.on('data', (chunk) => {
      const lines = (rest + chunk.toString('utf8')).split('\r\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (data !== undefined) {
          if (line !== '.') data.push(line.replace(/^\./, ''));
          else {
            const reply = this.replies['.'] ?? '250 taken';
            const mail = { from, to, data: data.join('\r\n') };
            if (reply.startsWith('2')) this.taken.push(mail);
            data = undefined;
            say(reply);
          }
          continue;
        }
        this.lines.push(line);
        const verb = line.split(/[ :]/)[0]?.toUpperCase() ?? '';
        const other = this.replies[verb];
        if (other !== undefined) say(other);
        else if (verb === 'EHLO') say('250-peer\r\n250-AUTH PLAIN\r\n250 8BITMIME');
        else if (verb === 'AUTH') say('235 welcome');
        else if (verb === 'QUIT') socket.end('221 bye\r\n');
        else if (verb === 'DATA') {
          data = [];
          say('354 go on');
        } else {
          const address = /<([^>]*)>/.exec(line)?.[1] ?? '';
          if (verb === 'MAIL') [from, to] = [address, []];
          if (verb === 'RCPT') to = [...to, address];
          say('250 ok');
        }
      }
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }
}
