import { createHmac, randomUUID } from 'node:crypto';
import type { OutputConfig, WebhookConfig } from '../config/index.ts';
import type { StateDocument } from '../contract/feed/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import { HeartwireError } from '../errors.ts';
import { DeadlineTimer } from '../system/index.ts';
import { type Notice, Notices } from './core/notices.ts';
import { type DeviceNames, refusedBy, webhookRequest } from './core/webhook-formats.ts';
import { HttpDelivery, type OutputRequest, readSecret } from './http-delivery.ts';
import { finite, type Output, type OutputPorts, type OutputReport } from './output.ts';

/** Messages that wait, of some 500 bytes each. */
const BUFFER_BYTES = 1024 * 1024;

interface Message {
  /** The same each time that it is sent, so that the other side can leave out what it had. */
  readonly id: string;
  readonly notice: Notice;
  readonly names: DeviceNames;
}

/** Tells people: one message for each thing that stays so. */
export class WebhookOutput implements Output {
  readonly config: OutputConfig;
  readonly #settings: WebhookConfig;
  readonly #ports: OutputPorts;
  readonly #notices: Notices;
  readonly #timer: DeadlineTimer;
  readonly #delivery: HttpDelivery<Message>;
  #secret = '';

  constructor(config: OutputConfig & { readonly kind: 'webhook' }, ports: OutputPorts) {
    this.config = config;
    this.#settings = config;
    this.#ports = ports;
    this.#notices = new Notices({
      on: new Set(config.on),
      forMs: config.forMs,
      quiet: config.quiet,
      minuteOfDay,
    });
    this.#timer = new DeadlineTimer(ports.clock, () => this.#tell());
    this.#delivery = new HttpDelivery({
      output: this,
      ports,
      maxBytes: BUFFER_BYTES,
      batchEntries: 1,
      batchBytes: BUFFER_BYTES,
      lingerMs: 0,
      request: ([message]) => this.#request(message),
    });
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

  state(
    { device, status, since, reason, detail, link }: StateDocument,
    before: StateDocument | undefined,
  ): void {
    const isOffline = status === 'offline';
    // Between the two it is not known yet: neither is told.
    if (!isOffline && status !== 'online' && status !== 'away') return;
    const data = { status, reason: reason ?? link.reason, detail: detail ?? link.detail };
    const event = isOffline ? 'offline' : 'online';
    const notice: Notice = { event, device, subject: 'status', word: event, at: since, data };
    this.#note(notice, event === 'online' || before === undefined);
  }

  removed(device: string): void {
    this.#notices.forget(device);
  }

  alarm(device: string, alarm: JsonObject): void {
    const { message, field, level, at, index } = alarm;
    const subject = [message, field, index].filter((each) => each !== undefined).join('.');
    const word = String(level);
    this.#note({ event: 'alarm', device, subject, word, at: Number(at), data: alarm }, word === 'good');
  }

  incident(incident: JsonObject): void {
    const { id, device, at } = incident;
    const word = String(id);
    this.#note(
      {
        event: 'incident',
        device: String(device),
        subject: 'incident',
        word,
        at: Number(at),
        data: incident,
      },
      false,
    );
  }

  report(): OutputReport {
    return this.#delivery.report();
  }

  close(): Promise<void> {
    this.#timer.cancel();
    return this.#delivery.close();
  }

  #note(notice: Notice, usual: boolean): void {
    this.#notices.note(notice, usual, this.#ports.clock.now());
    this.#tell();
  }

  #tell(): void {
    for (const notice of this.#notices.take(this.#ports.clock.now())) {
      const { label, group } = this.#ports.document(`devices/${notice.device}/state`) ?? {};
      const named = (name: unknown) => (typeof name === 'string' ? name : undefined);
      const names = { label: named(label), group: named(group) };
      this.#delivery.push({ id: randomUUID(), notice, names }, JSON.stringify(notice).length);
    }
    this.#timer.follow(finite(this.#notices.nextDeadline()));
  }

  #request(message: Message | undefined): OutputRequest {
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

function minuteOfDay(wallMs: number): number {
  const local = new Date(wallMs);
  return local.getHours() * 60 + local.getMinutes();
}
