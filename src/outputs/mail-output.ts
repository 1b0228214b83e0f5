import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import type { NodemailerError, Transporter } from 'nodemailer';
import type { MailConfig, OutputConfig } from '../config/index.ts';
import type { StateDocument } from '../contract/feed/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import { HeartwireError } from '../errors.ts';
import { isLoopback } from '../system/index.ts';
import { noticeText } from './core/notice-text.ts';
import { Delivery, type Verdict } from './delivery.ts';
import { readSecret } from './http-request.ts';
import { NOTICE_BUFFER_BYTES, NoticeFeed, type NoticeMessage } from './notice-feed.ts';
import type { Output, OutputPorts, OutputReport } from './output.ts';

const TIMEOUT_MS = 10_000;

/** Sends mail to people: one for each thing that stays so. */
export class MailOutput implements Output {
  readonly config: OutputConfig;
  readonly #settings: MailConfig;
  readonly #ports: OutputPorts;
  readonly #delivery: Delivery<NoticeMessage>;
  readonly #feed: NoticeFeed;
  #transport: ((aborted: AbortSignal) => Transporter) | undefined;

  constructor(config: OutputConfig & { readonly kind: 'mail' }, ports: OutputPorts) {
    this.config = config;
    this.#settings = config;
    this.#ports = ports;
    this.#delivery = new Delivery({
      output: this,
      ports,
      maxBytes: NOTICE_BUFFER_BYTES,
      batchEntries: 1,
      batchBytes: NOTICE_BUFFER_BYTES,
      lingerMs: 0,
      send: ([message], aborted) => this.#send(message, aborted),
    });
    this.#feed = new NoticeFeed(config, ports, (message, bytes) => this.#delivery.push(message, bytes));
  }

  async start(): Promise<void> {
    const { username, passwordFile, caFile } = this.#settings;
    try {
      const pass = passwordFile === undefined ? undefined : await readSecret(passwordFile);
      const ca = caFile === undefined ? undefined : await readSecret(caFile);
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
      this.#delivery.start();
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      this.#delivery.failed(error);
    }
  }

  state(document: StateDocument, before: StateDocument | undefined): void {
    this.#feed.state(document, before);
  }

  removed(device: string): void {
    this.#feed.removed(device);
  }

  alarm(device: string, alarm: JsonObject): void {
    this.#feed.alarm(device, alarm);
  }

  incident(incident: JsonObject): void {
    this.#feed.incident(incident);
  }

  test(): void {
    this.#feed.test();
  }

  report(): OutputReport {
    return this.#delivery.report();
  }

  close(): Promise<void> {
    this.#feed.close();
    return this.#delivery.close();
  }

  /** A stream to the server; names are resolved so that one without an answer holds up nothing else. */
  async #connect(host: string, port: number, aborted: AbortSignal): Promise<Socket> {
    const signal = AbortSignal.any([aborted, AbortSignal.timeout(TIMEOUT_MS)]);
    const socket = connect({ host, port, lookup: this.#ports.lookup });
    try {
      await once(socket, 'connect', { signal });
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

  async #send(message: NoticeMessage | undefined, aborted: AbortSignal): Promise<Verdict> {
    if (message === undefined || this.#transport === undefined)
      throw new Error('a batch of mail has one message');
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
      return verdictOf(error);
    }
  }
}

/** What becomes of a mail that was not taken, by the reply code of RFC 5321. */
function verdictOf(error: unknown): Verdict {
  const detail = error instanceof Error ? error.message : String(error);
  // What the library throws has these, where the server said something.
  const { code, responseCode } = error as Partial<NodemailerError>;
  if (code === 'EAUTH' || code === 'ETLS')
    return { kind: 'later', code: 'output_refused', detail, leastMs: 0 };
  if (responseCode !== undefined && responseCode >= 500) return { kind: 'never', detail };
  const reason = responseCode === undefined ? 'output_unreachable' : 'output_refused';
  return { kind: 'later', code: reason, detail, leastMs: 0 };
}
