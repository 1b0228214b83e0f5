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
      return { headers: {}, body: { text } };
    case 'feishu':
      return { headers: {}, body: { msg_type: 'text', content: { text } } };
    case 'dingtalk':
    case 'wecom':
      return { headers: {}, body: { msgtype: 'text', text: { content: text } } };
  }
}

const isGood = ({ event, word }: Notice): boolean =>
  event === 'online' || event === 'test' || word === 'good';

/** Why a service did not take a message though its HTTP status is 200; undefined where it did. */
export function refusedBy(format: WebhookFormat, answer: string): string | undefined {
  if (format !== 'feishu' && format !== 'dingtalk' && format !== 'wecom') return undefined;
  let parsed: unknown;
  try {
    parsed = JSON.parse(answer);
  } catch {
    // Something between answered in the place of the service.
    return 'The answer is no JSON.';
  }
  if (typeof parsed !== 'object' || parsed === null) return 'The answer is no object.';
  const code = 'errcode' in parsed ? parsed.errcode : 'code' in parsed ? parsed.code : undefined;
  const message = 'errmsg' in parsed ? parsed.errmsg : 'msg' in parsed ? parsed.msg : '';
  return code === 0 ? undefined : `It answered with code ${String(code)}: ${String(message)}`;
}
