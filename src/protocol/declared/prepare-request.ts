import { type ErrorCode, HeartwireError } from '../../errors.ts';
import type { DeclaredMessage } from '../message.ts';
import type { MessageDeclaration } from './declaration.ts';
import type { DeclaredProtocol } from './declared-protocol.ts';
import type { Values } from './value.ts';

/** A declared request, checked and encoded. */
export interface EncodedRequest {
  readonly declaration: MessageDeclaration;
  /** With the values that its bytes carry: rounded, nothing left out. */
  readonly message: DeclaredMessage;
  /** Without what surrounds it in its frame. */
  readonly payload: Uint8Array;
}

/** Why there is no request of that name with those fields. */
export interface RequestRefusal {
  readonly ok: false;
  readonly code: ErrorCode;
  readonly detail: string;
}

/** Checks the fields of a request against its declaration: names, ranges, enums, lengths. */
export function prepareRequest(
  protocol: DeclaredProtocol,
  name: string,
  fields: Values,
): { readonly ok: true; readonly request: EncodedRequest } | RequestRefusal {
  const declaration = protocol.message(name)?.declaration;
  if (declaration === undefined) {
    const known = protocol.declaration.messages.filter(({ from }) => from !== 'device');
    const list =
      known.length === 0
        ? 'none is declared from the host'
        : `declared are ${known.map((each) => each.name).join(', ')}`;
    return { ok: false, code: 'message_unknown', detail: `there is no message ${name}; ${list}` };
  }
  if (declaration.from === 'device') {
    const detail = `${name} comes from the device: it is declared with \`from: device\``;
    return { ok: false, code: 'request_not_allowed', detail };
  }
  try {
    const payload = protocol.encode(name, fields);
    const message = protocol.decode(payload, 0, payload.length, 'host');
    if (message.name === 'declared' && message.message === name)
      return { ok: true, request: { declaration, message, payload } };
    const detail = `${name} with these fields would be read as another message`;
    return { ok: false, code: 'bad_field_value', detail };
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
    const seen = error.seen === undefined ? '' : ` (seen: ${error.seen})`;
    return { ok: false, code: error.code, detail: `${error.message}${seen}` };
  }
}
