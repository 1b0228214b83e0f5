import { type CodeText, ERROR_CODES } from '../../errors.ts';
import { CLOSE_CODES, DEVICE_STATUSES, LINK_STATUSES } from '../wire/index.ts';
import { CLIENT_MESSAGE_TYPES, clientMessageContract } from './client-messages.ts';
import { DEVICE_REASONS } from './device-reason.ts';
import { FEED_ERROR_CODES } from './feed-error.ts';
import { SERVER_MESSAGE_TYPES, serverMessageContract } from './server-messages.ts';
import { TOPICS } from './topic-documents.ts';

/** How tables are made, by their names. */
export type Tables = Readonly<Record<string, () => string>>;

/**
 * The tables of the documents that are made from the contracts, by the name that their place in a document carries:
 * they stand between `<!-- table: NAME -->` and `<!-- end -->`.
 */
export const TABLES: Tables = {
  'client messages': () =>
    table(
      ['`type`', 'keys', 'answer'],
      CLIENT_MESSAGE_TYPES.map((type) => {
        const { keysText, answerText } = clientMessageContract(type);
        return [`\`${type}\``, keysText, answerText];
      }),
    ),
  'server messages': () =>
    table(
      ['`type`', 'payload'],
      SERVER_MESSAGE_TYPES.flatMap((type) => {
        const { keysText } = serverMessageContract(type);
        return keysText === undefined ? [] : [[`\`${type}\``, keysText]];
      }),
    ),
  topics: () =>
    table(
      ['topic', 'kind', 'holds'],
      TOPICS.map(({ address, kind, holds }) => [
        `\`${address.replace(/\{(?:device|bus)\}/, '<id>').replace(/\{(\w+)\}/, '<$1>')}\``,
        kind === 'state' ? 'state' : 'event',
        holds,
      ]),
    ),
  'device statuses': () => table(['`status`', 'when'], words(DEVICE_STATUSES)),
  'link statuses': () => table(['`link.status`', 'when'], words(LINK_STATUSES)),
  'error codes': () => table(['code', 'meaning', 'what to do'], codes(ERROR_CODES)),
  'feed error codes': () => table(['code', 'meaning', 'what to do'], codes(FEED_ERROR_CODES)),
  'device reasons': () => table(['reason', 'meaning', 'what to do'], codes(DEVICE_REASONS)),
  'close codes': () =>
    table(
      ['close code', 'reason', 'meaning', 'what the client does'],
      Object.entries(CLOSE_CODES).map(([reason, { code, meaning, client }]) => [
        String(code),
        `\`${reason}\``,
        meaning,
        client,
      ]),
    ),
};

const codes = (of: Readonly<Record<string, CodeText>>): readonly (readonly string[])[] =>
  Object.entries(of).map(([code, { meaning, fix }]) => [`\`${code}\``, meaning, fix]);

const words = (of: Readonly<Record<string, string>>): readonly (readonly string[])[] =>
  Object.entries(of).map(([word, text]) => [`\`${word}\``, text]);

/** A table of a document. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |\n`.replaceAll('|  |', '| |');
  return [line(head), `|${head.map(() => '---|').join('')}\n`, ...rows.map(line)].join('');
}

const PLACE = /(<!-- table: ([^\n]+?) -->\n)[\s\S]*?(<!-- end -->)/g;

/** A document with its tables as the contracts say them. @throws RangeError where a table has no such name. */
export function withTables(document: string, tables: Tables = TABLES): string {
  return document.replace(PLACE, (_, start: string, name: string, end: string) => {
    const make = tables[name];
    if (make === undefined) throw new RangeError(`There is no table "${name}".`);
    return `${start}${make()}${end}`;
  });
}
