import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { NodemailerError, Transporter } from 'nodemailer';
import type { MailConfig } from '../config/index.ts';
import { isLoopback } from '../system/index.ts';
import { noticeText } from './core/notice-text.ts';
import type { Verdict } from './delivery.ts';
import type { NoticeMessage } from './notice-feed.ts';
import { type NoticeCarrier, NoticeOutput } from './notice-output.ts';
import type { OutputKind, OutputPorts } from './output.ts';
import { masked, readAuthority, readSecret } from './secret.ts';
import { within } from './within.ts';

const TIMEOUT_MS = 10_000;

/** Sends messages as mail, over a connection of each. */
export class MailCarrier implements NoticeCarrier {
  readonly #settings: MailConfig;
  readonly #ports: OutputPorts;
  #secrets: readonly string[] = [];
  #transport: ((aborted: AbortSignal) => Transporter) | undefined;

  constructor(settings: MailConfig, ports: OutputPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  async prepare(): Promise<void> {
    const { username, passwordFile, caFile } = this.#settings;
    const pass = passwordFile === undefined ? undefined : await readSecret(passwordFile);
    const ca = caFile === undefined ? undefined : await readAuthority(caFile);
    // As the log-in over SMTP has them too.
    this.#secrets = pass === undefined ? [] : [pass, `\0${username}\0${pass}`];
    // Loaded where an output needs it, and nowhere else.
    const { createTransport } = await import('nodemailer');
    const url = new URL(this.#settings.url);
    const secure = url.protocol === 'smtps:';
    const host = url.hostname.replace(/^\[|\]$/g, '');
    const port = Number(url.port || (secure ? 465 : 587));
    this.#transport = (aborted) =>
      createTransport({
        host,
        port,
        secure,
        ...(username === undefined || pass === undefined ? {} : { auth: { user: username, pass } }),
        // A password never goes in plain over a network.
        requireTLS: pass !== undefined && !isLoopback(host) && host !== 'localhost',
        ...(ca === undefined ? {} : { tls: { ca } }),
        connectionTimeout: TIMEOUT_MS,
        greetingTimeout: TIMEOUT_MS,
        socketTimeout: TIMEOUT_MS,
        disableFileAccess: true,
        disableUrlAccess: true,
        getSocket: (_options, callback) => {
          this.#connect(host, port, aborted).then(
            (connection) => callback(null, { connection }),
            (error: Error) => callback(error),
          );
        },
      });
  }

  /** A stream to the server; names are resolved so that one without an answer holds up nothing else. */
  async #connect(host: string, port: number, aborted: AbortSignal): Promise<Socket> {
    const socket = connect({ host, port, lookup: this.#ports.lookup });
    try {
      await within(aborted, TIMEOUT_MS, (signal) => once(socket, 'connect', { signal }));
    } catch (error) {
      socket.destroy();
      throw error;
    }
    // On the way out nothing is waited for.
    const end = () => socket.destroy();
    aborted.addEventListener('abort', end, { once: true });
    socket.once('close', () => aborted.removeEventListener('abort', end));
    return socket;
  }

  async send(message: NoticeMessage, aborted: AbortSignal): Promise<Verdict> {
    if (this.#transport === undefined) throw new Error('mail is sent before it is prepared');
    const { from, to, language } = this.#settings;
    const { id, notice, names } = message;
    const text = noticeText(language, notice, names);
    const { at, data } = notice;
    const lines = [text, '', new Date(at).toISOString(), JSON.stringify(data, undefined, 2), ''];
    try {
      await this.#transport(aborted).sendMail({
        from,
        to: [...to],
        // A line end would begin another header.
        subject: text.replace(/\p{Cc}+/gu, ' '),
        text: lines.join('\n'),
        messageId: `<${id}@heartwire>`,
        // Nothing answers it by itself.
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Heartwire-Delivery': id },
      });
      return { kind: 'taken' };
    } catch (error) {
      return verdictOf(error, this.#secrets);
    }
  }
}

/** What becomes of a mail that was not taken, by the reply code of RFC 5321. */
function verdictOf(error: unknown, secrets: readonly string[]): Verdict {
  const detail = masked(error instanceof Error ? error.message : String(error), secrets);
  // What the library throws has these, where the server said something.
  const { code, responseCode } = error as Partial<NodemailerError>;
  if (code === 'EAUTH' || code === 'ETLS')
    return { kind: 'later', code: 'output_refused', detail, leastMs: 0 };
  if (responseCode !== undefined && responseCode >= 500) return { kind: 'never', detail };
  const reason = responseCode === undefined ? 'output_unreachable' : 'output_refused';
  return { kind: 'later', code: reason, detail, leastMs: 0 };
}

export const output: OutputKind<'mail'> = {
  make: (config, ports) => new NoticeOutput(config, ports, new MailCarrier(config, ports)),
  taken: 'The server took a mail.',
};
