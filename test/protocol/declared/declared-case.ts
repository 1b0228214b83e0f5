import {
  DEFAULT_PROTOCOL,
  type FieldDeclaration,
  type ProtocolDeclaration,
} from '../../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../../src/protocol/declared/declared-protocol.ts';
import { lintProtocol } from '../../../src/protocol/declared/lint.ts';
import type { Values } from '../../../src/protocol/declared/value.ts';
import { bytesOf } from '../framing/collecting-sink.ts';

/** A protocol of one message `m` with these fields, its id in front. */
export function protocolOf(
  fields: readonly FieldDeclaration[],
  changes: Partial<ProtocolDeclaration> = {},
): DeclaredProtocol {
  return new DeclaredProtocol(declarationOf(fields, changes));
}

const declarationOf = (
  fields: readonly FieldDeclaration[],
  changes: Partial<ProtocolDeclaration> = {},
): ProtocolDeclaration => ({ ...DEFAULT_PROTOCOL, ...changes, messages: [{ name: 'm', id: 0x10, fields }] });

/** The values of the message whose fields are these bytes, its raw numbers, and its issues in words. */
export function decoded(protocol: DeclaredProtocol, hex: string) {
  const payload = bytesOf(`10 ${hex}`);
  const message = protocol.decode(payload);
  if (message.name !== 'declared') throw new Error(JSON.stringify(message));
  return {
    fields: message.fields,
    raw: message.raw,
    issues: message.issues.map(({ field, reason, detail }) => `${field} ${reason}: ${detail}`),
    found: protocol.check(payload, 0, payload.length) >= 0,
  };
}

/** The bytes of its fields, in hex. */
export const encoded = (protocol: DeclaredProtocol, values: Values): string =>
  Buffer.from(protocol.encode('m', values)).toString('hex').slice(2);

/** What the lint says of such a field, beside others in front of it: where, and what. */
export const complaints = (field: FieldDeclaration, ...front: readonly FieldDeclaration[]): string[] =>
  lintProtocol(declarationOf([...front, field])).map(
    ({ path, message }) => `${path.slice(4).join('.')}: ${message}`,
  );
