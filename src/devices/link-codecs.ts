import type { ListenerConfig, MatchedDeviceConfig } from '../config/model.ts';
import type { SessionSettings } from '../contract/settings.ts';
import { type DeviceCodecs, deviceCodec, framingOf } from './device-codec.ts';
import type { WireCodec } from './wire.ts';
import { framingNeedsSilence, SERIAL_SERVER_GAP_MS } from './wire-codec.ts';

const NOTHING_DECLARED = {};

/** How the bytes of a link that dialled in are read, from its first frame on or from the one behind its register. */
export interface LinkCodec {
  readonly codec: WireCodec;
  /** Silence that the link reports, in ms, where frames end with it. */
  readonly idleAfterMs?: number | undefined;
}

/** How devices that dial in are read. Those that speak the same share a codec, whose tables are not small. */
export class LinkCodecs {
  readonly #codecs = new WeakMap<object, Map<string, WireCodec>>();

  of(
    { identity, bare }: SessionSettings,
    { messages, maxFrame, line = 'stream', gapMs }: ReadFrom,
  ): LinkCodec {
    const speech: DeviceCodecs = { identity, builtin: bare === undefined, maxFrame, line, messages };
    const silence = line === 'serial' || framingNeedsSilence(framingOf(speech));
    return {
      codec: this.#codec(speech),
      ...(silence ? { idleAfterMs: gapMs ?? SERIAL_SERVER_GAP_MS } : {}),
    };
  }

  #codec(speech: DeviceCodecs): WireCodec {
    const { messages, identity, builtin, maxFrame, line } = speech;
    const declared = messages ?? NOTHING_DECLARED;
    const made = this.#codecs.get(declared) ?? new Map<string, WireCodec>();
    this.#codecs.set(declared, made);
    const key = `${identity} ${builtin} ${maxFrame} ${line}`;
    const codec = made.get(key) ?? deviceCodec(speech);
    made.set(key, codec);
    return codec;
  }
}

type ReadFrom = Pick<ListenerConfig | MatchedDeviceConfig, 'messages' | 'maxFrame' | 'line' | 'gapMs'>;
