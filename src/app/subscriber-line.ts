import { CLOSE_CODES } from '../contract/feed/close-code.ts';
import type { FeedLog } from '../feed/hub/subscriber-registry.ts';
import type { Log } from '../system/log.ts';

/** Writes what happened to one subscriber, with the code of why it was refused or closed. */
export function logSubscriber(log: Log, { event, address, client, detail }: FeedLog): void {
  const level = event === 'connected' || event === 'disconnected' ? 'info' : 'warn';
  const who = client === undefined ? address : `${client} at ${address}`;
  const { code, text } = explained(detail);
  log[level](
    { event, client, address, ...(code === undefined ? {} : { code }) },
    `subscriber ${who} ${event}${text === undefined ? '' : `: ${text}`}`,
  );
}

/** Writes that a request was refused, with the code of its answer where that has one. */
export function logRefusal(log: Log, address: string, detail: string): void {
  const { code, text } = explained(detail);
  log.warn(
    { event: 'refused', address, ...(code === undefined ? {} : { code }) },
    `request from ${address} refused: ${text ?? detail}`,
  );
}

/** A refusal may be the body of an HTTP answer: `{"code","message"}`. */
function explained(detail: string | undefined): { readonly code?: string; readonly text?: string } {
  if (detail === undefined) return {};
  const [, code = '', text = ''] = /^\{"code":"([a-z_]+)","message":"(.*)"\}\s*$/s.exec(detail) ?? [];
  if (code !== '') return { code, text: text.replaceAll('\\"', '"') };
  return Object.hasOwn(CLOSE_CODES, detail) ? { code: detail, text: detail } : { text: detail };
}
