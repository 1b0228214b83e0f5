import { type DeviceNames, type Language, noticeText } from './notice-text.ts';
import type { Notice } from './notices.ts';

export const WEBHOOK_FORMATS = ['json', 'ntfy', 'slack', 'feishu', 'dingtalk', 'wecom'] as const;
export type WebhookFormat = (typeof WEBHOOK_FORMATS)[number];

/** One request to the other side, but for its signature. */
export interface WebhookRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Readonly<Record<string, unknown>> | string;
}

/** A notice in the words of a service. `id` is the same each time that the notice is sent. */
export function webhookRequest(
  format: WebhookFormat,
  language: Language,
  notice: Notice,
  names: DeviceNames,
  id: string,
): WebhookRequest {
  const text = noticeText(language, notice, names);
  switch (format) {
    case 'json': {
      const { event, device, subject, at, data } = notice;
      return { headers: {}, body: { id, event, device, ...names, subject, at, text, ...data } };
    }
    case 'ntfy':
      return {
        headers: {
          'Content-Type': 'text/plain; charset=utf-8',
          Tags: isGood(notice) ? 'white_check_mark' : 'warning',
          Priority: isGood(notice) ? 'default' : 'high',
        },
        body: text,
      };
    case 'slack':
      // A name of a device must not call all people of a channel.
      return {
        headers: {},
        body: { text: text.replace(/[&<>]/g, (sign) => SLACK_ESCAPES[sign] ?? sign) },
      };
    case 'feishu':
      // It has no escapes, and takes `<at user_id="all">` in a text for a call to all.
      return { headers: {}, body: { msg_type: 'text', content: { text: text.replaceAll('<', '＜') } } };
    case 'dingtalk':
    case 'wecom':
      return { headers: {}, body: { msgtype: 'text', text: { content: text } } };
  }
}

const SLACK_ESCAPES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

const isGood = ({ event, word }: Notice): boolean =>
  event === 'online' || event === 'test' || word === 'good';

/** Why a service did not take a message though its HTTP status is 200. */
export interface Refusal {
  readonly detail: string;
  /** There were too many messages, or it is busy: it takes this one later. */
  readonly isBusy: boolean;
}

/** DingTalk: -1, 130101 and 410100; WeCom: -1, 45009 and 45033; Feishu: 9499 and 11232. */
const BUSY = [-1, 130101, 410100, 45009, 45033, 9499, 11232];

/** undefined where it took the message. */
export function refusedBy(format: WebhookFormat, answer: string): Refusal | undefined {
  if (format !== 'feishu' && format !== 'dingtalk' && format !== 'wecom') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch {
    // Something between answered in the place of the service.
    return { detail: 'The answer is no JSON.', isBusy: false };
  }
  if (typeof parsed !== 'object' || parsed === null)
    return { detail: 'The answer is no object.', isBusy: false };
  // Old robots of Feishu answer with `StatusCode` alone.
  const [code] = valuesOf(parsed, ['errcode', 'code', 'StatusCode']);
  const [message = ''] = valuesOf(parsed, ['errmsg', 'msg', 'StatusMessage']);
  if (code === 0) return undefined;
  const detail = `It answered with code ${String(code)}: ${String(message)}`;
  return { detail, isBusy: typeof code === 'number' && BUSY.includes(code) };
}

const valuesOf = (object: object, names: readonly string[]): readonly unknown[] =>
  names.flatMap((name) => Object.entries(object).flatMap(([key, value]) => (key === name ? [value] : [])));
