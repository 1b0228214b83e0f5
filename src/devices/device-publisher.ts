import type { AlarmEvent, StateDocument, StatsDocument } from '../contract/feed/topic-documents.ts';
import type { Publisher } from '../contract/publisher.ts';
import type { InvalidPayload, Message } from '../protocol/message.ts';
import type { Clock } from '../system/clock.ts';
import { describeMessages, type MessagesDescription } from './core/describe-messages.ts';
import type { MessageCatalog } from './core/message-catalog.ts';
import type { MessageMark } from './core/session-events.ts';
import type { ArrivedFile } from './files/upload-store.ts';
import { bytesAsJson, messageEvent } from './message-event.ts';

/** Where the fields of some messages are described. */
export const declarationTopic = (key: string): string => `declarations/${key}`;

/** What one device says in the feed, on topics of its own, until it falls silent. */
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
  #silent = false;

  /** `wantsBytes` tells whether anybody listens to the raw bytes; they are not even copied where nobody does. */
  constructor(
    device: string,
    publisher: Publisher,
    clock: Clock,
    wantsBytes: (topic: string) => boolean,
    messages?: MessageCatalog,
  ) {
    this.#description = messages && describeMessages(messages.declarations);
    this.#publisher = publisher;
    this.#clock = clock;
    this.#wantsBytes = wantsBytes;
    const topic = `devices/${device}`;
    this.#topics = {
      state: `${topic}/state`,
      stats: `${topic}/stats`,
      messages: `${topic}/messages`,
      alarms: `${topic}/alarms`,
      bytes: `${topic}/bytes`,
    };
  }

  get silent(): boolean {
    return this.#silent;
  }

  /** What is still on its way must not speak for whoever comes after it; what was said stays. */
  fallSilent(): void {
    this.#silent = true;
  }

  /** Takes the device out of the feed. */
  remove(): void {
    this.#publisher.removeState(this.#topics.state);
    this.#publisher.removeState(this.#topics.stats);
  }

  state(document: StateDocument): void {
    if (this.#silent) return;
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
    if (!this.#silent) this.#publisher.publishState(this.#topics.stats, document);
  }

  message(message: Message | InvalidPayload, mark?: MessageMark, group?: string): void {
    if (this.#silent) return;
    this.#publisher.publishEvent(this.#topics.messages, () =>
      messageEvent(message, this.#clock.now().wallMs, mark, group),
    );
  }

  alarm(alarm: AlarmEvent): void {
    if (this.#silent) return;
    this.#publisher.publishEvent(this.#topics.alarms, { at: this.#clock.now().wallMs, ...alarm });
  }

  bytes(direction: 'in' | 'out', bytes: Uint8Array): void {
    if (this.#silent || !this.#wantsBytes(this.#topics.bytes)) return;
    const at = this.#clock.now().wallMs;
    this.#publisher.publishEvent(this.#topics.bytes, { at, direction, bytes: bytesAsJson(bytes) });
  }

  /** Said of a device that fell silent, too: the file is there, whatever has become of the device meanwhile. */
  fileArrived({ id, bytes, crc32 }: ArrivedFile, transfer: number): void {
    const file = { id, bytes, crc32, transfer, url: `/api/files/${id}` };
    this.#publisher.publishEvent(this.#topics.messages, {
      at: this.#clock.now().wallMs,
      kind: 'file',
      file,
    });
  }
}
