import { randomUUID } from 'node:crypto';
import type { NoticeConfig } from '../config/index.ts';
import type { StateDocument } from '../contract/feed/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import { DeadlineTimer } from '../system/index.ts';
import type { DeviceNames } from './core/notice-text.ts';
import { type Notice, Notices } from './core/notices.ts';
import { finite, type OutputPorts, type OutputSink } from './output.ts';

/** Messages that wait, of some 500 bytes each. */
export const NOTICE_BUFFER_BYTES = 1024 * 1024;

/** One message for people. */
export interface NoticeMessage {
  /** The same each time that it is sent, so that the other side can leave out what it had. */
  readonly id: string;
  readonly notice: Notice;
  readonly names: DeviceNames;
}

/** Makes messages for people of what changes: one for each thing that stays so, outside of quiet hours. */
export class NoticeFeed implements OutputSink {
  readonly #ports: OutputPorts;
  readonly #notices: Notices;
  readonly #timer: DeadlineTimer;
  readonly #push: (message: NoticeMessage, bytes: number) => void;

  constructor(
    { on, forMs, quiet }: NoticeConfig,
    ports: OutputPorts,
    push: (message: NoticeMessage, bytes: number) => void,
  ) {
    this.#ports = ports;
    this.#push = push;
    this.#notices = new Notices({ on: new Set(on), forMs, quiet, minuteOfDay });
    this.#timer = new DeadlineTimer(ports.clock, () => this.#tell());
  }

  state(
    { device, status, since, reason, detail, link }: StateDocument,
    before: StateDocument | undefined,
  ): void {
    const isOffline = status === 'offline';
    // Between the two it is not known yet, and no message says either.
    if (!isOffline && status !== 'online' && status !== 'away') return;
    const data = { status, reason: reason ?? link.reason, detail: detail ?? link.detail };
    const event = isOffline ? 'offline' : 'online';
    const notice: Notice = { event, device, subject: 'status', word: event, at: since, data };
    this.#note(notice, event === 'online' || before === undefined);
  }

  removed(device: string): void {
    this.#notices.forget(device);
  }

  alarm(device: string, alarm: JsonObject): void {
    const { message, field, level, at, index } = alarm;
    const subject = [message, field, index].filter((each) => each !== undefined).join('.');
    const word = String(level);
    this.#note({ event: 'alarm', device, subject, word, at: Number(at), data: alarm }, word === 'good');
  }

  incident(incident: JsonObject): void {
    const { id, device, at } = incident;
    const word = String(id);
    this.#note(
      {
        event: 'incident',
        device: String(device),
        subject: 'incident',
        word,
        at: Number(at),
        data: incident,
      },
      false,
    );
  }

  /** At once, and whatever the rules are. */
  test(): void {
    const { wallMs: at } = this.#ports.clock.now();
    const notice: Notice = {
      event: 'test',
      device: 'heartwire',
      subject: 'test',
      word: 'test',
      at,
      data: {},
    };
    this.#push({ id: randomUUID(), notice, names: {} }, JSON.stringify(notice).length);
  }

  close(): void {
    this.#timer.cancel();
  }

  #note(notice: Notice, usual: boolean): void {
    this.#notices.note(notice, usual, this.#ports.clock.now());
    this.#tell();
  }

  #tell(): void {
    for (const notice of this.#notices.take(this.#ports.clock.now())) {
      const { label, group } = this.#ports.document(`devices/${notice.device}/state`) ?? {};
      const named = (name: unknown) => (typeof name === 'string' ? name : undefined);
      const names = { label: named(label), group: named(group) };
      this.#push({ id: randomUUID(), notice, names }, JSON.stringify(notice).length);
    }
    this.#timer.follow(finite(this.#notices.nextDeadline()));
  }
}

function minuteOfDay(wallMs: number): number {
  const local = new Date(wallMs);
  return local.getHours() * 60 + local.getMinutes();
}
