import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import type { DeclaredProtocol } from '../../../src/protocol/index.ts';

const TEXTS = import.meta.glob<string>('../../../packs/*/messages.yaml', {
  query: '?raw',
  import: 'default',
  eager: true,
});

const texts = new Map(
  Object.entries(TEXTS).map(([path, text]) => [/packs\/([^/]+)\//.exec(path)?.[1] ?? path, text] as const),
);
const read = new Map<string, DeclaredProtocol>();

/** The packs that come with Heartwire, by name. */
export const PACKS: readonly string[] = [...texts.keys()].sort();

export function packProtocol(name: string): DeclaredProtocol | undefined {
  const known = read.get(name);
  if (known !== undefined) return known;
  const { protocol } = loadMessages(texts.get(name) ?? '', `pack:${name}`);
  if (protocol !== undefined) read.set(name, protocol);
  return protocol;
}

/** What is wrong with a text, as `heartwire check` says it. */
export interface ReadMessages {
  readonly protocol?: DeclaredProtocol | undefined;
  readonly problems: readonly string[];
}

export function readMessages(text: string, file: string): ReadMessages {
  const { protocol, problems } = loadMessages(text, file);
  return {
    protocol,
    problems: problems.map(
      ({ file: of, line, column, message, fix }) => `${of}:${line}:${column}: ${message} ${fix}`,
    ),
  };
}
