import type { PayloadOf, ServerMessageType } from '../../contract/feed/index.ts';
import type { Instant } from '../../instant.ts';
import type { Change, Retained } from './change.ts';
import type { PastEvent } from './event-log.ts';

const SNAPSHOT: ServerMessageType = 'snapshot';

interface Version {
  readonly topic: string;
  readonly epoch: string;
  readonly rev: number;
  readonly seq: number;
}

/** What was sent to the subscribers of one kind of transport, and what was lost on the way; counted since the start. */
export class FeedTally {
  /** Messages handed to subscribers: one sent to ten of them counts ten times. */
  deliveries = 0;
  /** Bytes that were put together for single subscribers, beside what all share. */
  ownBytes = 0;
  /** Events that a subscriber was too slow for. */
  droppedSlow = 0;
  /** Events that were sent often enough and never acknowledged. */
  droppedUnacked = 0;
}

/** A piece of a text, or what it is in UTF-8. */
export type TextPart = string | Uint8Array;

/** Wraps one JSON text, given in parts, as the transport carries it (a WebSocket text frame, a line). */
export type Framer = (parts: readonly TextPart[]) => Uint8Array;

/** Largest snapshot message, and most bytes handed to a sink at once, except for a single message that is larger. */
export const CHUNK_BYTES = 64 * 1024;

const utf8 = new TextEncoder();

/** Makes frames; those for many subscribers are made once, and kept while their version is the present one. */
export class Encoder {
  readonly #epoch: string;
  readonly #positionKey: () => string;
  readonly #framer: Framer;
  readonly #fullFrames = new WeakMap<Retained, Uint8Array>();
  readonly #items = new WeakMap<Retained, Uint8Array>();
  readonly #acked = new WeakMap<PastEvent, Uint8Array>();
  readonly #past = new WeakMap<PastEvent, Uint8Array>();

  /** `positionKey`: under which name the `rev` of a position stands now. */
  constructor(epoch: string, framer: Framer, positionKey: () => string = () => epoch) {
    this.#epoch = epoch;
    this.#positionKey = positionKey;
    this.#framer = framer;
  }

  message<Type extends ServerMessageType>(
    type: Type,
    id: string,
    payload: PayloadOf<Type>,
    now: Instant,
    ack?: 'ack_required',
  ): Uint8Array {
    const timestamp = Math.round(now.wallMs);
    const text = JSON.stringify(
      ack === undefined
        ? { type, id, timestamp, payload }
        : { type, id, timestamp, ack_required: true, payload },
    );
    return this.#framer([text]);
  }

  /** An event that needs an acknowledgement; encoded once for all subscribers. */
  acked(event: PastEvent, now: Instant): Uint8Array {
    const known = this.#acked.get(event);
    if (known !== undefined) return known;
    const { kind, id, data } = event;
    const version = this.#eventVersion(event);
    const text = JSON.stringify({
      type: kind,
      id,
      timestamp: Math.round(now.wallMs),
      ack_required: true,
      payload: kind === 'broadcast' ? { ...version, from: event.from, data } : { ...version, data },
    });
    const frame = this.#framer([text]);
    this.#acked.set(event, frame);
    return frame;
  }

  /** An event for clients that come back; encoded once for all of them. */
  past(event: PastEvent, now: Instant): Uint8Array {
    const known = this.#past.get(event);
    if (known !== undefined) return known;
    const frame = this.change(event, now);
    this.#past.set(event, frame);
    return frame;
  }

  /** The frame that every subscriber in sync gets. */
  change(change: Change, now: Instant): Uint8Array {
    const { topic, rev, seq } = change;
    const epoch = this.#epoch;
    switch (change.kind) {
      case 'state': {
        const { patch, document: state } = change;
        const id = `r${rev}`;
        const version = { topic, epoch: change.epoch ?? epoch, rev, seq };
        if (patch === undefined) return this.message('update', id, { ...version, full: true, state }, now);
        const { prev, body } = patch;
        return this.message('update', id, { ...version, prev, patch: body }, now);
      }
      case 'removal':
        return this.#removed(`r${rev}`, { topic, epoch, rev, seq }, change.crosses, now);
      case 'event':
        return this.message('event', change.id, { ...this.#eventVersion(change), data: change.data }, now);
      case 'loss': {
        const { fromSeq: from_seq } = change;
        return this.message('gap', `g${rev}`, { topic, epoch, from_seq, to_seq: seq, reason: 'lost' }, now);
      }
      case 'broadcast': {
        const { from, data } = change;
        return this.message('broadcast', change.id, { ...this.#eventVersion(change), from, data }, now);
      }
    }
  }

  #eventVersion({ topic, rev, seq, origin }: PastEvent): Version {
    return { topic, epoch: origin?.epoch ?? this.#epoch, rev, seq: origin?.seq ?? seq };
  }

  position(rev: number, now: Instant): Uint8Array {
    return this.message('position', `p${rev}`, { position: { [this.#positionKey()]: rev } }, now);
  }

  /** The present version of a topic for subscribers that are behind; encoded once per version. */
  full(retained: Retained, now: Instant): Uint8Array {
    const known = this.#fullFrames.get(retained);
    if (known !== undefined) return known;
    const { document } = retained;
    const id = `f${retained.rev}`;
    const version = this.version(retained);
    const frame =
      document === undefined
        ? this.#removed(id, version, retained.crosses, now)
        : this.message('update', id, { ...version, full: true, state: document }, now);
    this.#fullFrames.set(retained, frame);
    return frame;
  }

  /** An update removes what counts in its own epoch; a snapshot whatever there is. */
  #removed(id: string, version: Version, crosses: boolean | undefined, now: Instant): Uint8Array {
    if (crosses === true) return this.message('snapshot', id, { items: [], removed: [version] }, now);
    return this.message('update', id, { ...version, removed: true }, now);
  }

  version(retained: Retained): Version {
    const { topic, epoch = this.#epoch, rev, seq } = retained;
    return { topic, epoch, rev, seq };
  }

  /** The present version of a topic as it stands in a snapshot behind another one: with a comma; encoded once per version. */
  item(retained: Retained): Uint8Array {
    const known = this.#items.get(retained);
    if (known !== undefined) return known;
    const { document } = retained;
    const version = this.version(retained);
    const text = JSON.stringify(document === undefined ? version : { ...version, state: document });
    const item = utf8.encode(`,${text}`);
    this.#items.set(retained, item);
    return item;
  }

  /** One snapshot message of items made by `item`: those with a document, and those removed since they were asked for. */
  snapshot(
    id: string,
    replyTo: string | undefined,
    items: readonly Uint8Array[],
    removed: readonly Uint8Array[],
    now: Instant,
  ): Uint8Array {
    const reply = replyTo === undefined ? '' : `"reply_to":${JSON.stringify(replyTo)},`;
    const head = `{"type":"${SNAPSHOT}","id":${JSON.stringify(id)},"timestamp":${Math.round(now.wallMs)},"payload":{${reply}"items":[`;
    return this.#framer([head, ...listed(items), '],"removed":[', ...listed(removed), ']}}']);
  }
}

/** Puts frames one after the other; a single one is not copied. */
export function concatFrames(frames: readonly Uint8Array[]): Uint8Array {
  const [only] = frames;
  if (only !== undefined && frames.length === 1) return only;
  const joined = new Uint8Array(frames.reduce((sum, each) => sum + each.length, 0));
  let at = 0;
  for (const frame of frames) {
    joined.set(frame, at);
    at += frame.length;
  }
  return joined;
}

/** Items one behind the other: the first one without its comma. */
function listed(items: readonly Uint8Array[]): readonly Uint8Array[] {
  const [first, ...others] = items;
  return first === undefined ? items : [first.subarray(1), ...others];
}
