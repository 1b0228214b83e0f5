import { clip, words } from '../api/values.ts';
import { language, t } from '../app/language.ts';
import { Icon, isSign, type Sign } from './icon.tsx';

/** The words of a table; what it does not have is shown as it came. */
function wordOf(table: Readonly<Record<string, string>>, word: string): string {
  return Object.hasOwn(table, word) ? (table[word] ?? word) : clip(word);
}

export const statusWord = (status: string): string => wordOf(t().status, status);
export const linkWord = (status: string): string => wordOf(t().link, status);
export const qualityWord = (quality: string): string => wordOf(t().quality, quality);

const known = (table: object, word: string): Sign =>
  Object.hasOwn(table, word) && isSign(word) ? word : 'unknown';

/** What a device is: sign, word and colour. */
export function StatusBadge({ status }: { readonly status: string }) {
  const sign = known(t().status, status);
  return (
    <span class="badge" data-tone={sign}>
      <Icon name={sign} />
      <span class="word">{statusWord(status)}</span>
    </span>
  );
}

/** What its link is. */
export function LinkSign({ status }: { readonly status: string }) {
  const sign = known(t().link, status);
  return (
    <span class="linked" data-tone={sign}>
      <Icon name={sign} />
      <span class="word">{linkWord(status)}</span>
    </span>
  );
}

/** A code of the wire in the language of the page. */
export function reasonWord(code: unknown): string {
  const { reasons } = t();
  const key = String(code);
  return Object.hasOwn(reasons, key) ? (reasons[key] ?? '') : words(code);
}

/** Why something is so: the reason, and what the bridge says about it for people. */
export function because(axis: { readonly reason?: unknown; readonly detail?: unknown }): string {
  const { reason, detail } = axis;
  const said = typeof detail === 'string' ? clip(t().said(String(reason), detail)) : '';
  return [reason && reasonWord(reason), said].filter(Boolean).join(language.value === 'zh-CN' ? '：' : ': ');
}
