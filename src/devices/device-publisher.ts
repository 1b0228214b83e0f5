import type { AlarmEvent, StateDocument, StatsDocument } from '../contract/feed/index.ts';
import type { Publisher, Values } from '../contract/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import type { InvalidPayload, Message } from '../protocol/index.ts';
import type { Clock } from '../system/index.ts';
import { describeMessages, type MessagesDescription } from './core/describe-messages.ts';
import type { MessageCatalog } from './core/message-catalog.ts';
import type { MessageMark } from './core/session-events.ts';
import type { ArrivedFile } from './files/upload-store.ts';

/** Where the fields of some messages are described. */
export const declarationTopic = (key: string): string => `declarations/${key}`;

export interface DevicePublisherOptions {
  readonly publisher: Publisher;
  readonly clock: Clock;
  /** Whether a topic of raw bytes has subscribers; without one the bytes are not even copied. */
  wantsBytes(topic: string): boolean;
}

/** Publishes one device in the feed, on its own topics, until it is closed. */
export class DevicePublisher {
  readonly #publisher: Publisher;
  readonly #clock: Clock;
  readonly #wantsBytes: (topic: string) => boolean;
  readonly #topics: {
    readonly state: string;
    readonly stats: string;
    readonly messages: string;
    readonly alarms: string;
    readonly bytes: string;
  };
  /** What its values mean, where it speaks declared messages. */
  readonly #description: MessagesDescription | undefined;
  #described = false;
  #closed = false;

  constructor(device: string, options: DevicePublisherOptions, messages?: MessageCatalog) {
    this.#description = messages && describeMessages(messages.protocol.declaration);
    this.#publisher = options.publisher;
    this.#clock = options.clock;
    this.#wantsBytes = (topic) => options.wantsBytes(topic);
    const topic = `devices/${device}`;
    this.#topics = {
      state: `${topic}/state`,
      stats: `${topic}/stats`,
      messages: `${topic}/messages`,
      alarms: `${topic}/alarms`,
      bytes: `${topic}/bytes`,
    };
  }

  get closed(): boolean {
    return this.#closed;
  }

  /** Events still on their way must not be published for the next runner of this device; what is published stays. */
  close(): void {
    this.#closed = true;
  }

  /** Takes the device out of the feed. */
  remove(): void {
    this.#publisher.removeState(this.#topics.state);
    this.#publisher.removeState(this.#topics.stats);
  }

  state(document: StateDocument): void {
    if (this.#closed) return;
    const description = this.#description;
    if (description === undefined) {
      this.#publisher.publishState(this.#topics.state, document);
      return;
    }
    // Before the state that refers to it; for all devices of the same messages it is the same.
    if (!this.#described)
      this.#publisher.publishState(declarationTopic(description.key), description.document);
    this.#described = true;
    this.#publisher.publishState(this.#topics.state, { ...document, declaration: description.key });
  }

  stats(document: StatsDocument): void {
    if (!this.#closed) this.#publisher.publishState(this.#topics.stats, document);
  }

  message(message: Message | InvalidPayload, mark?: MessageMark, group?: string): void {
    if (this.#closed) return;
    this.#publisher.publishEvent(
      this.#topics.messages,
      () => messageEvent(message, this.#clock.now().wallMs, mark, group),
      isPlainBeat(message, mark) ? 'named' : 'any',
    );
  }

  alarm(alarm: AlarmEvent): void {
    if (this.#closed) return;
    this.#publisher.publishEvent(this.#topics.alarms, { at: this.#clock.now().wallMs, ...alarm });
  }

  bytes(direction: 'in' | 'out', bytes: Uint8Array): void {
    if (this.#closed || !this.#wantsBytes(this.#topics.bytes)) return;
    const at = this.#clock.now().wallMs;
    this.#publisher.publishEvent(this.#topics.bytes, { at, direction, bytes: bytesAsJson(bytes) });
  }

  /** Published after `close` too: the file is there, whatever has become of the device. */
  fileArrived({ id, bytes, crc32 }: ArrivedFile, transfer: number): void {
    const file = { id, bytes, crc32, transfer, url: `/api/files/${id}` };
    this.#publisher.publishEvent(this.#topics.messages, {
      at: this.#clock.now().wallMs,
      kind: 'file',
      file,
    });
  }
}

/** A heartbeat that says nothing but that the device is there, which its state says to all. */
function isPlainBeat(message: Message | InvalidPayload, mark: MessageMark | undefined): boolean {
  return (
    message.name === 'heartbeat' && mark === undefined && (message.kind === 'request' || message.error === 0)
  );
}

/** Bytes as JSON: base64, and how many they are. */
function bytesAsJson(bytes: Uint8Array): JsonObject {
  const { buffer, byteOffset, byteLength } = bytes;
  return { $bytes: Buffer.from(buffer, byteOffset, byteLength).toString('base64'), len: byteLength };
}

/**
 * A message of a device as an event on `devices/<id>/messages`; `at` in ms since the epoch. `group`: where the values are
 * in the state, where that is not the message's name.
 */
export function messageEvent(
  message: Message | InvalidPayload,
  at: number,
  mark?: string,
  group?: string,
): JsonObject {
  if (message.name === 'declared' && message.kind !== 'reply' && mark === undefined) {
    const { message: name, kind, fields, raw, issues } = message;
    // Hot path: nearly all messages pass here, and building the event part by part costs as much as all the rest.
    if (issues.length === 0) {
      return isEmpty(raw) ? { at, message: name, kind, fields } : { at, message: name, kind, fields, raw };
    }
  }
  const head = { at, ...(mark === undefined ? {} : { [mark]: true }) };
  if (message.name === 'invalid') {
    const { name: _, message: name, kind, payload, ...invalid } = message;
    const bytes = payload === undefined ? {} : { payload: bytesAsJson(payload) };
    return { ...head, message: name, kind, invalid, ...bytes };
  }
  if (message.name === 'unknown') {
    const { id, answers, payload } = message;
    return {
      ...head,
      message: 'unknown',
      ...(id === undefined ? {} : { id }),
      ...(answers === undefined ? {} : { kind: 'reply', answers }),
      payload: bytesAsJson(payload),
    };
  }
  if (message.name === 'echo') return { ...head, message: 'echo', payload: bytesAsJson(message.payload) };
  if (message.name === 'declared') {
    const { message: name, kind, fields, raw, issues } = message;
    const { errorName } = message.kind === 'reply' ? message : {};
    return {
      ...head,
      message: name,
      ...(group === undefined ? {} : { as: group }),
      kind,
      ...(message.kind === 'reply' ? { error: message.error } : {}),
      ...(errorName === undefined ? {} : { error_name: errorName }),
      fields,
      ...(isEmpty(raw) ? {} : { raw }),
      ...(issues.length === 0 ? {} : { issues: issues.map((issue) => ({ ...issue })) }),
    };
  }
  const fields = 'fields' in message ? { fields: { ...message.fields } } : {};
  const error = message.kind === 'reply' ? { error: message.error } : {};
  return { ...head, message: message.name, kind: message.kind, ...error, ...fields };
}

function isEmpty(values: Values): boolean {
  for (const _ in values) return false;
  return true;
}
