import type { ListenerConfig } from '../config/model.ts';
import { decodePayload } from '../protocol/codec.ts';
import type { DeclaredProtocol } from '../protocol/declared/declared-protocol.ts';
import { PREFIX_BYTES } from '../protocol/frame.ts';
import type { RegisterRequest } from '../protocol/message.ts';
import { PENDING_MAX_FRAME } from './core/pending-link.ts';
import { pendingCodec } from './device-codec.ts';
import type { WireCodec } from './wire.ts';

/** How links of one listener are read that have no name yet; made once while the configuration stays the same. */
export class NamelessSpeech {
  #config: ListenerConfig | undefined;
  #spoken: readonly DeclaredProtocol[] = [];
  #codec: WireCodec | undefined;

  of(config: ListenerConfig, spoken: readonly DeclaredProtocol[]): WireCodec {
    if (this.#codec !== undefined && this.#config === config && this.#spoken === spoken) return this.#codec;
    const { session, maxFrame, messages } = config;
    const own = messages === undefined || spoken.includes(messages) ? [] : [messages];
    const bound = Math.min(maxFrame, PENDING_MAX_FRAME);
    this.#config = config;
    this.#spoken = spoken;
    this.#codec = pendingCodec(session.identity, bound, [...own, ...spoken]);
    return this.#codec;
  }
}

/** Whom bytes register that are one register and nothing else; undefined where they are anything else. */
export function loneRegister(
  bytes: Uint8Array,
  { definition }: WireCodec,
): RegisterRequest['fields'] | undefined {
  if (bytes.length <= PREFIX_BYTES || bytes.length > PREFIX_BYTES + PENDING_MAX_FRAME) return undefined;
  const length = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
  if (bytes.length !== PREFIX_BYTES + length) return undefined;
  const message = decodePayload(definition, bytes, PREFIX_BYTES, bytes.length);
  return message.name === 'register' && message.kind === 'request' ? message.fields : undefined;
}
