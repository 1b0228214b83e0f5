import { createHmac } from 'node:crypto';
import type { WebhookConfig } from '../config/index.ts';
import { refusedBy, webhookRequest } from './core/webhook-formats.ts';
import type { Verdict } from './delivery.ts';
import { type OutputRequest, send } from './http-request.ts';
import type { NoticeMessage } from './notice-feed.ts';
import { type NoticeCarrier, NoticeOutput } from './notice-output.ts';
import type { OutputKind, OutputPorts } from './output.ts';
import { readSecret } from './secret.ts';

/** Posts messages to a URL, signed where there is a secret. */
export class WebhookCarrier implements NoticeCarrier {
  readonly #settings: WebhookConfig;
  readonly #ports: OutputPorts;
  #secret = '';

  constructor(settings: WebhookConfig, ports: OutputPorts) {
    this.#settings = settings;
    this.#ports = ports;
  }

  async prepare(): Promise<void> {
    if (this.#settings.secretFile !== undefined) this.#secret = await readSecret(this.#settings.secretFile);
  }

  send(message: NoticeMessage, aborted: AbortSignal): Promise<Verdict> {
    return send(this.#request(message), this.#ports.lookup, aborted);
  }

  #request(message: NoticeMessage): OutputRequest {
    const { format, language, url } = this.#settings;
    const { pathname, searchParams } = new URL(url);
    const { headers, body } = webhookRequest(format, language, message.notice, message.names, message.id);
    const seconds = Math.floor(this.#ports.clock.now().wallMs / 1_000);
    const base = {
      'Content-Type': 'application/json',
      'User-Agent': `heartwire/${this.#ports.version}`,
      ...headers,
    };
    const common = {
      refusedBy: (answer: string) => refusedBy(format, answer),
      // The address is often the secret, and a page for what is not found repeats it.
      secrets: [this.#secret, pathname.slice(1), ...searchParams.values()],
    };
    const textOf = (content: object | string) =>
      typeof content === 'string' ? content : JSON.stringify(content);
    if (this.#secret === '') return { url, headers: base, body: textOf(body), ...common };
    switch (format) {
      case 'feishu': {
        // The text is the key, and what is signed is empty.
        const sign = createHmac('sha256', `${seconds}\n${this.#secret}`).digest('base64');
        const signed = { timestamp: String(seconds), sign, ...Object(body) };
        return { url, headers: base, body: textOf(signed), ...common };
      }
      case 'dingtalk': {
        const timestamp = seconds * 1_000;
        const signed = new URL(url);
        signed.searchParams.set('timestamp', String(timestamp));
        signed.searchParams.set('sign', this.#hmac(`${timestamp}\n${this.#secret}`, 'base64'));
        return { url: signed.href, headers: base, body: textOf(body), ...common };
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
        return { url, headers: { ...base, ...signature }, body: text, ...common };
      }
    }
  }

  #hmac(text: string, encoding: 'hex' | 'base64'): string {
    return createHmac('sha256', this.#secret).update(text).digest(encoding);
  }
}

export const output: OutputKind<'webhook'> = {
  make: (config, ports) => new NoticeOutput(config, ports, new WebhookCarrier(config, ports)),
  taken: 'The other side took a message.',
};
