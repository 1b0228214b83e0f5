import { loadMessages } from '../../../src/config/messages/load-messages.ts';
import { formatProblem } from '../../../src/config/problem.ts';
import type { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';

/** The protocol that a file declares. */
export function declaredIn(yaml: string): DeclaredProtocol {
  const { protocol, problems } = loadMessages(yaml, 'messages.yaml');
  if (protocol === undefined) throw new Error(problems.map(formatProblem).join('\n'));
  return protocol;
}

/** `path code` of everything that is wrong with a file. */
export const wrongIn = (yaml: string): readonly string[] =>
  loadMessages(yaml, 'messages.yaml').problems.map(({ path, code }) => `${path} ${code}`);

/** Messages of a device whose lines have no id. */
export const lines = (messages: string): string =>
  `protocol: { framing: { type: delimiter, delimiter: "\\n" } }\nmessages:\n${messages}`;

export const bytesOfText = (text: string): Uint8Array => new TextEncoder().encode(text);
export const textOfBytes = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);
