import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { IPublishPacket, MqttClient } from 'mqtt';
import type { MqttConfig, OutputConfig } from '../config/index.ts';
import type { DeclarationDocument, StateDocument } from '../contract/feed/index.ts';
import type { JsonObject } from '../contract/wire/index.ts';
import { HeartwireError } from '../errors.ts';
import { DeadlineTimer, Ring } from '../system/index.ts';
import { discoveryPayload, nodeOf } from './core/discovery.ts';
import { MqttTopics } from './core/mqtt-topics.ts';
import { MqttCommands } from './mqtt-commands.ts';
import {
  finite,
  type Loss,
  type Output,
  type OutputKind,
  type OutputPorts,
  type OutputReport,
  OutputState,
  pauseMs,
} from './output.ts';
import { masked, readAuthority, readSecret } from './secret.ts';

/** Messages without an acknowledgement at once. */
const IN_FLIGHT = 64;
/** Alarms and answers that wait while the broker is away. */
const MAX_EVENTS = 1_000;
const CONNECT_MS = 10_000;
const FAREWELL_MS = 2_000;
/** Messages in one turn of the event loop: more would be seen as a pause of the feed. */
const AT_ONCE = 4;
/** States that change meanwhile go out together, so that what waits is gone through rarely. */
const GATHER_MS = 20;
/** CONNACK of a broker that speaks 3.1.1 only, as 5 and as 3.1.1 say it. */
const UNSUPPORTED_VERSION = [0x84, 0x01];

/** A retained topic whose present payload is to be published; an empty one takes it from the broker. */
interface Retained {
  payload(): string;
  readonly dueMs: number;
}

interface Event {
  readonly topic: string;
  readonly payload: string;
  /** Of an answer, where the command said so (MQTT 5). */
  readonly correlationData?: Buffer | undefined;
}

/** Publishes states over a broker, announces devices to Home Assistant, and takes commands. */
export class MqttOutput implements Output {
  readonly config: OutputConfig;
  readonly #settings: MqttConfig;
  readonly #ports: OutputPorts;
  readonly #topics: MqttTopics;
  readonly #state: OutputState;
  readonly #reconnect: DeadlineTimer;
  readonly #pumping: DeadlineTimer;
  readonly #commands: MqttCommands;
  /** By topic: however often a state changes, it waits once. */
  readonly #retained = new Map<string, Retained>();
  readonly #events = new Ring<Event>();
  readonly #states = new Map<string, StateDocument>();
  /** When the state of a device was published last, in ms. */
  readonly #publishedAt = new Map<string, number>();
  #client: MqttClient | undefined;
  #connected = false;
  #closed = false;
  #attempt = 0;
  #password = '';
  #inFlight = 0;
  #pumpedAtMs = -Infinity;
  #sent = 0;
  #lost = 0;

  constructor(config: OutputConfig & { readonly kind: 'mqtt' }, ports: OutputPorts) {
    this.config = config;
    this.#settings = config;
    this.#ports = ports;
    this.#topics = new MqttTopics(config.prefix, config.discoveryPrefix);
    this.#state = new OutputState(ports.clock.now());
    this.#reconnect = new DeadlineTimer(ports.clock, () => this.#connectAgain());
    this.#pumping = new DeadlineTimer(ports.clock, () => this.#pump());
    this.#commands = new MqttCommands({
      ports,
      address: new URL(config.url).host,
      declarationOf: (device) => this.#declarationOf(device),
      answer: (...outcome) => this.#answer(...outcome),
    });
  }

  async start(): Promise<void> {
    const { url, username, passwordFile, caFile } = this.#settings;
    try {
      const password = passwordFile === undefined ? undefined : await readSecret(passwordFile);
      this.#password = password ?? '';
      const ca = caFile === undefined ? undefined : await readAuthority(caFile);
      // Loaded where an output needs it, and nowhere else.
      const { MqttClient } = await import('mqtt');
      if (this.#closed) return;
      const client = new MqttClient(() => this.#open(new URL(url), ca), {
        protocolVersion: 5,
        // We wait ourselves, with a back-off.
        reconnectPeriod: 0,
        connectTimeout: CONNECT_MS,
        ...(username === undefined ? {} : { username }),
        ...(password === undefined ? {} : { password }),
        ...(this.#ports.trial === true
          ? {}
          : { will: { topic: this.#topics.bridge, payload: Buffer.from('offline'), qos: 1, retain: true } }),
      });
      this.#client = client;
      client.on('connect', () => this.#opened(client));
      client.on('close', () => this.#lostConnection());
      client.on('error', (error) => this.#failed(client, error));
      client.on('message', (topic, payload, packet) => this.#received(topic, payload, packet));
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      if (this.#state.failed(error.code, error.message, this.#ports.clock.now())) this.#ports.changed(this);
    }
  }

  /** A stream to the broker; names are resolved so that one without an answer holds up nothing else. */
  #open({ protocol, hostname, port }: URL, ca: string | undefined): Socket {
    const { lookup } = this.#ports;
    const host = hostname.replace(/^\[|\]$/g, '');
    if (protocol !== 'mqtts:') return connect({ lookup, host, port: Number(port || 1883) });
    const servername = isIP(host) === 0 ? { servername: host } : {};
    return connectTls({
      lookup,
      host,
      port: Number(port || 8883),
      ...servername,
      ...(ca === undefined ? {} : { ca }),
    });
  }

  state(document: StateDocument, before: StateDocument | undefined): void {
    const { device } = document;
    this.#states.set(device, document);
    const { monoMs } = this.#ports.clock.now();
    const last = this.#publishedAt.get(device) ?? -Infinity;
    const dueMs = Math.max(monoMs, last + this.#settings.stateIntervalMs);
    this.#retainState(device, dueMs);
    if (availabilityOf(document) !== (before && availabilityOf(before))) this.#retainAvailability(device);
    const hasOtherNames =
      document.declaration !== before?.declaration ||
      document.label !== before?.label ||
      document.group !== before?.group ||
      document.identity?.imei !== before?.identity?.imei;
    if (hasOtherNames) this.#announce(device);
    this.#pumping.follow(Math.max(monoMs, this.#pumpedAtMs + GATHER_MS));
  }

  removed(device: string): void {
    this.#states.delete(device);
    this.#publishedAt.delete(device);
    this.#retain(this.#topics.state(device), () => '');
    this.#retain(this.#topics.availability(device), () => '');
    if (this.#settings.homeAssistant) this.#retain(this.#topics.announcement(nodeOf(device)), () => '');
    this.#pump();
  }

  alarm(device: string, alarm: JsonObject): void {
    this.#event({ topic: this.#topics.alarms(device), payload: JSON.stringify(alarm) });
  }

  incident(): void {
    // The feed has it; its bytes are too many for a broker.
  }

  test(): void {
    const { version, clock } = this.#ports;
    const payload = JSON.stringify({ test: true, at: clock.now().wallMs, version });
    this.#event({ topic: this.#topics.test, payload });
  }

  report(): OutputReport {
    const waiting = this.#retained.size + this.#events.length + this.#inFlight;
    return { ...this.#state.report, sent: this.#sent, lost: this.#lost, waiting };
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#reconnect.cancel();
    this.#pumping.cancel();
    const client = this.#client;
    if (client === undefined) return;
    await new Promise<void>((resolve) => {
      const { clock } = this.#ports;
      const late = clock.setTimer(clock.now().monoMs + FAREWELL_MS, () => client.end(true, () => resolve()));
      const end = () =>
        client.end(!this.#connected, () => {
          late.cancel();
          resolve();
        });
      // Who ends properly has no last will.
      if (this.#connected && this.#ports.trial !== true)
        client.publish(this.#topics.bridge, 'offline', { qos: 1, retain: true }, end);
      else end();
    });
  }

  #opened(client: MqttClient): void {
    this.#connected = true;
    this.#attempt = 0;
    if (this.#state.ready(this.#ports.clock.now())) this.#ports.changed(this);
    if (this.#ports.trial !== true) this.#retain(this.#topics.bridge, () => 'online');
    // The broker may have lost what it retained.
    for (const device of this.#states.keys()) {
      this.#retainState(device);
      this.#retainAvailability(device);
      this.#announce(device);
    }
    const topics: string[] = [];
    if (this.#settings.commands && this.#ports.trial !== true) topics.push(this.#topics.commands);
    if (this.#settings.homeAssistant) topics.push(this.#topics.homeAssistant);
    if (topics.length > 0) client.subscribe(topics, { qos: 1 });
    this.#pump();
  }

  #lostConnection(): void {
    this.#connected = false;
    if (this.#closed) return;
    this.#attempt += 1;
    const { clock, random, changed } = this.#ports;
    const now = clock.now();
    const at = now.monoMs + pauseMs(this.#attempt, random());
    const { status, reason, detail } = this.#state.report;
    const said = status === 'backoff' && reason !== undefined ? { reason, detail } : undefined;
    const {
      reason: code = 'output_unreachable' as const,
      detail: text = 'The broker ended the connection.',
    } = said ?? {};
    if (this.#state.backOff(code, text, at, now)) changed(this);
    this.#reconnect.follow(at);
  }

  #connectAgain(): void {
    const client = this.#client;
    if (client === undefined || this.#closed) return;
    // With what was sent and not acknowledged yet, which goes again.
    client.reconnect({ incomingStore: client.incomingStore, outgoingStore: client.outgoingStore });
  }

  #failed(client: MqttClient, error: Error): void {
    const code = 'code' in error ? error.code : undefined;
    if (
      typeof code === 'number' &&
      UNSUPPORTED_VERSION.includes(code) &&
      client.options.protocolVersion === 5
    ) {
      client.options.protocolVersion = 4;
      return;
    }
    // A connection that cannot be opened has an errno; what the broker itself says has a number.
    const reason = typeof code === 'number' ? 'output_refused' : 'output_unreachable';
    const now = this.#ports.clock.now();
    const detail = masked(error.message || String(code), [this.#password]);
    if (this.#state.backOff(reason, detail, now.monoMs, now)) this.#ports.changed(this);
  }

  #announce(device: string): void {
    if (!this.#settings.homeAssistant) return;
    this.#retain(this.#topics.announcement(nodeOf(device)), () => {
      const state = this.#states.get(device);
      if (state === undefined) return '';
      const declaration = this.#declarationOf(device);
      const { commands } = this.#settings;
      return JSON.stringify(
        discoveryPayload({
          state,
          declaration,
          topics: this.#topics,
          commands,
          version: this.#ports.version,
        }),
      );
    });
  }

  #retainState(device: string, dueMs?: number): void {
    this.#retain(this.#topics.state(device), () => JSON.stringify(this.#states.get(device) ?? ''), { dueMs });
  }

  #retainAvailability(device: string): void {
    this.#retain(this.#topics.availability(device), () => {
      const present = this.#states.get(device);
      return present === undefined ? '' : availabilityOf(present);
    });
  }

  #declarationOf(device: string): (JsonObject & DeclarationDocument) | undefined {
    const key = this.#states.get(device)?.declaration;
    if (key === undefined) return undefined;
    // The bridge writes it; its shape is part of the contract.
    return this.#ports.document(`declarations/${key}`) as (JsonObject & DeclarationDocument) | undefined;
  }

  #retain(
    topic: string,
    payload: () => string,
    { dueMs = this.#ports.clock.now().monoMs }: { readonly dueMs?: number | undefined } = {},
  ): void {
    const known = this.#retained.get(topic);
    // Its turn is kept, so that a state that changes all the time comes all the same.
    this.#retained.set(topic, { payload, dueMs: Math.min(dueMs, known?.dueMs ?? Infinity) });
  }

  #event(event: Event): void {
    this.#events.push(event);
    if (this.#events.length > MAX_EVENTS) {
      this.#events.shift();
      this.#loss('output_buffer_full', `More than ${MAX_EVENTS} alarms and results wait; the oldest go.`);
    }
    this.#pump();
  }

  /** Sends what is due, as far as the broker keeps up. */
  #pump(): void {
    const client = this.#client;
    if (!this.#connected || this.#closed || client === undefined) return;
    const now = this.#ports.clock.now().monoMs;
    this.#pumpedAtMs = now;
    let left = AT_ONCE;
    for (let event = this.#next(left); event !== undefined; event = this.#next(left)) {
      left -= 1;
      const { topic, payload, correlationData } = event;
      this.#publish(client, topic, payload, false, correlationData);
    }
    let next = Infinity;
    for (const [topic, { payload, dueMs }] of this.#retained) {
      if (dueMs > now) next = Math.min(next, dueMs);
      else if (this.#inFlight >= IN_FLIGHT) break;
      else if (left === 0) return this.#pumping.follow(now + 1);
      else {
        left -= 1;
        this.#retained.delete(topic);
        const device = this.#deviceOfState(topic);
        if (device !== undefined) this.#publishedAt.set(device, now);
        this.#publish(client, topic, payload(), true);
      }
    }
    if (left === 0 || (this.#events.length > 0 && this.#inFlight < IN_FLIGHT)) this.#pumping.follow(now + 1);
    else this.#pumping.follow(finite(Math.max(next, now + GATHER_MS)));
  }

  #loss(code: Loss['code'], detail: string): void {
    this.#lost += 1;
    this.#state.lost(detail);
    this.#ports.lost(this, { count: 1, code, detail });
  }

  #next(left: number): Event | undefined {
    // One is left for the states.
    return left > 1 && this.#inFlight < IN_FLIGHT ? this.#events.shift() : undefined;
  }

  #deviceOfState(topic: string): string | undefined {
    const device = topic.split('/').at(-2);
    return device !== undefined && topic === this.#topics.state(device) && this.#states.has(device)
      ? device
      : undefined;
  }

  #publish(
    client: MqttClient,
    topic: string,
    payload: string,
    retain: boolean,
    correlationData?: Buffer,
  ): void {
    this.#inFlight += 1;
    const properties = correlationData === undefined ? {} : { properties: { correlationData } };
    client.publish(topic, payload, { qos: 1, retain, ...properties }, (error) => {
      this.#inFlight -= 1;
      if (error == null) this.#sent += 1;
      else this.#loss('output_refused', `${masked(error.message, [this.#password])}; topic: ${topic}`);
      // Not at each acknowledgement: what waits is gone through each time.
      if (this.#inFlight === 0 || this.#inFlight === IN_FLIGHT / 2) this.#pump();
    });
  }

  #received(topic: string, payload: Buffer, packet: IPublishPacket): void {
    if (topic === this.#topics.homeAssistant) {
      // It was started, and knows of nothing.
      if (payload.toString() === 'online') for (const device of this.#states.keys()) this.#announce(device);
      return this.#pump();
    }
    const asked = this.#topics.asked(topic);
    // What a broker kept is of some time ago: it must not be carried out now.
    if (asked === undefined || packet.retain || this.#closed) return;
    void this.#commands.handle(asked.device, asked.message, payload, packet);
  }

  #answer(device: string, message: string, outcome: JsonObject, { properties }: IPublishPacket): void {
    const { responseTopic, correlationData } = properties ?? {};
    const payload = JSON.stringify(outcome);
    this.#event({ topic: this.#topics.result(device, message), payload });
    if (responseTopic !== undefined && !/[+#]/.test(responseTopic))
      this.#event({ topic: responseTopic, payload, correlationData });
  }
}

const availabilityOf = ({ status }: StateDocument): string =>
  status === 'online' || status === 'away' ? 'online' : 'offline';

export const output: OutputKind<'mqtt'> = {
  make: (config, ports) => new MqttOutput(config, ports),
  taken: 'The broker took a message on `bridge/test`.',
};
