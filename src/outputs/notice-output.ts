import type { NoticeConfig, OutputConfig } from '../config/index.ts';
import type { StateDocument } from '../contract/feed/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import { HeartwireError } from '../errors.ts';
import { Delivery, type Verdict } from './delivery.ts';
import { NOTICE_BUFFER_BYTES, NoticeFeed, type NoticeMessage } from './notice-feed.ts';
import type { Output, OutputPorts, OutputReport } from './output.ts';

/** How messages for people leave the bridge. */
export interface NoticeCarrier {
  /**
   * Reads its secrets.
   * @throws HeartwireError where a file is missing or unfit
   */
  prepare(): Promise<void>;
  send(message: NoticeMessage, aborted: AbortSignal): Promise<Verdict>;
}

/** Sends messages to people: one for each thing that stays so. */
export class NoticeOutput implements Output {
  readonly config: OutputConfig;
  readonly #carrier: NoticeCarrier;
  readonly #delivery: Delivery<NoticeMessage>;
  readonly #feed: NoticeFeed;

  constructor(config: OutputConfig & NoticeConfig, ports: OutputPorts, carrier: NoticeCarrier) {
    this.config = config;
    this.#carrier = carrier;
    this.#delivery = new Delivery({
      output: this,
      ports,
      maxBytes: NOTICE_BUFFER_BYTES,
      batchEntries: 1,
      batchBytes: NOTICE_BUFFER_BYTES,
      lingerMs: 0,
      send: ([message], aborted) => {
        if (message === undefined) throw new Error('a batch of notices has one message');
        return carrier.send(message, aborted);
      },
    });
    this.#feed = new NoticeFeed(config, ports, (message, bytes) => this.#delivery.push(message, bytes));
  }

  async start(): Promise<void> {
    try {
      await this.#carrier.prepare();
      this.#delivery.start();
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      this.#delivery.failed(error);
    }
  }

  state(document: StateDocument, before: StateDocument | undefined): void {
    this.#feed.state(document, before);
  }

  removed(device: string): void {
    this.#feed.removed(device);
  }

  alarm(device: string, alarm: JsonObject): void {
    this.#feed.alarm(device, alarm);
  }

  incident(incident: JsonObject): void {
    this.#feed.incident(incident);
  }

  test(): void {
    this.#feed.test();
  }

  report(): OutputReport {
    return this.#delivery.report();
  }

  close(): Promise<void> {
    this.#feed.close();
    return this.#delivery.close();
  }
}
