import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, createServer as createTlsServer, TLSSocket } from 'node:tls';

export interface Mail {
  readonly from: string;
  readonly to: readonly string[];
  /** As it was sent, dots undone. */
  readonly data: string;
}

/** What it says to a verb in the place of its usual reply: `{ RCPT: '550 no such user' }`. */
export type Replies = Readonly<Record<string, string>>;

/** The pair of its certificate, as PEM, and whether it speaks TLS at once or once it is asked (STARTTLS). */
export interface SmtpTls {
  readonly cert: string;
  readonly key: string;
  readonly from: 'start' | 'STARTTLS';
}

/** A mail server of RFC 5321 that takes down what it is sent. Use with `await using`. */
export class SmtpPeer implements AsyncDisposable {
  readonly taken: Mail[] = [];
  /** Every line of the clients. */
  readonly lines: string[] = [];
  /** Those of them that came over TLS. */
  readonly secureLines: string[] = [];
  replies: Replies = {};
  #muted: Array<() => void> | undefined;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #tls: SmtpTls | undefined;

  private constructor(tls: SmtpTls | undefined) {
    this.#tls = tls;
    this.#server = tls?.from === 'start' ? createTlsServer(tls) : createServer();
    this.#server.on(tls?.from === 'start' ? 'secureConnection' : 'connection', (socket: Socket) => {
      this.#greet(socket);
    });
  }

  static async start(tls?: SmtpTls): Promise<SmtpPeer> {
    const peer = new SmtpPeer(tls);
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

  #greet(socket: Socket): void {
    this.#say(socket, '220 peer ESMTP');
    this.#talk(socket);
  }

  #say(socket: Socket, text: string): void {
    const write = () => void (socket.destroyed || socket.write(`${text}\r\n`));
    if (this.#muted === undefined) write();
    else this.#muted.push(write);
  }

  #talk(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    const isSecure = socket instanceof TLSSocket;
    const offer = this.#tls?.from === 'STARTTLS' && !isSecure ? '250-STARTTLS\r\n' : '';
    const say = (text: string): void => this.#say(socket, text);
    let rest = '';
    let from = '';
    let to: string[] = [];
    let data: string[] | undefined;
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
        if (isSecure) this.secureLines.push(line);
        const verb = line.split(/[ :]/)[0]?.toUpperCase() ?? '';
        const other = this.replies[verb];
        if (other !== undefined) say(other);
        else if (verb === 'EHLO') say(`250-peer\r\n${offer}250-AUTH PLAIN\r\n250 8BITMIME`);
        else if (verb === 'STARTTLS' && offer !== '') return void this.#secure(socket, say);
        else if (verb === 'STARTTLS') say('502 no such command');
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

  /** Nothing that came in plain is talked about over TLS. */
  #secure(plain: Socket, say: (text: string) => void): void {
    plain.removeAllListeners('data');
    say('220 go on');
    const { cert, key } = this.#tls ?? {};
    const secureContext = createSecureContext({ cert, key });
    this.#talk(new TLSSocket(plain, { isServer: true, secureContext }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.stop();
  }
}
