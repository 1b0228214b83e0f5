import { createHmac } from 'node:crypto';
import type { OutputConfig, WebhookConfig } from '../config/index.ts';
import type { StateDocument } from '../contract/feed/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import { HeartwireError } from '../errors.ts';
import { refusedBy, webhookRequest } from './core/webhook-formats.ts';
import { Delivery } from './delivery.ts';
import { type OutputRequest, readSecret, send } from './http-request.ts';
import { NOTICE_BUFFER_BYTES, NoticeFeed, type NoticeMessage } from './notice-feed.ts';
import type { Output, OutputPorts, OutputReport } from './output.ts';

/** Tells people: one message for each thing that stays so. */
export class WebhookOutput implements Output {
  readonly config: OutputConfig;
  readonly #settings: WebhookConfig;
  readonly #ports: OutputPorts;
  readonly #delivery: Delivery<NoticeMessage>;
  readonly #feed: NoticeFeed;
  #secret = '';

  constructor(config: OutputConfig & { readonly kind: 'webhook' }, ports: OutputPorts) {
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
      send: ([message], aborted) => send(this.#request(message), ports.lookup, aborted),
    });
    this.#feed = new NoticeFeed(config, ports, (message, bytes) => this.#delivery.push(message, bytes));
  }

  async start(): Promise<void> {
    try {
      if (this.#settings.secretFile !== undefined) this.#secret = await readSecret(this.#settings.secretFile);
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

  #request(message: NoticeMessage | undefined): OutputRequest {
    if (message === undefined) throw new Error('a batch of a webhook has one message');
    const { format, language, url } = this.#settings;
    const { headers, body } = webhookRequest(format, language, message.notice, message.names, message.id);
    const seconds = Math.floor(this.#ports.clock.now().wallMs / 1_000);
    const base = {
      'Content-Type': 'application/json',
      'User-Agent': `heartwire/${this.#ports.version}`,
      ...headers,
    };
    const refused = (answer: string) => refusedBy(format, answer);
    const textOf = (content: object | string) =>
      typeof content === 'string' ? content : JSON.stringify(content);
    if (this.#secret === '') return { url, headers: base, body: textOf(body), refusedBy: refused };
    switch (format) {
      case 'feishu': {
        // The text is the key, and what is signed is empty.
        const sign = createHmac('sha256', `${seconds}\n${this.#secret}`).digest('base64');
        const signed = { timestamp: String(seconds), sign, ...Object(body) };
        return { url, headers: base, body: textOf(signed), refusedBy: refused };
      }
      case 'dingtalk': {
        const timestamp = seconds * 1_000;
        const signed = new URL(url);
        signed.searchParams.set('timestamp', String(timestamp));
        signed.searchParams.set('sign', this.#hmac(`${timestamp}\n${this.#secret}`, 'base64'));
        return { url: signed.href, headers: base, body: textOf(body), refusedBy: refused };
      }
      case 'json':
      case 'ntfy':
      case 'slack':
      case 'wecom': {
        const text = textOf(body);
        const signature = {
          'X-Heartwire-Delivery': message.id,
          'X-Heartwire-Timestamp': String(seconds),
          'X-Heartwire-Signature': `sha256=${this.#hmac(`${seconds}.${text}`, 'hex')}`,
        };
        return { url, headers: { ...base, ...signature }, body: text, refusedBy: refused };
      }
    }
  }

  #hmac(text: string, encoding: 'hex' | 'base64'): string {
    return createHmac('sha256', this.#secret).update(text).digest(encoding);
  }
}
