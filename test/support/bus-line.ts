import { loadConfig } from '../../src/config/load.ts';
import { loadMessages } from '../../src/config/messages/load-messages.ts';
import type { BridgeConfig } from '../../src/config/model.ts';
import type { StateDocument } from '../../src/contract/feed/topic-documents.ts';
import type { JsonObject, Publisher } from '../../src/contract/publisher.ts';
import { BusRunner, MemberWire, memberCodec } from '../../src/devices/bus-runner.ts';
import { MessageCatalog } from '../../src/devices/core/message-catalog.ts';
import type { RequestOutcome } from '../../src/devices/core/session-events.ts';
import { DeviceRunner } from '../../src/devices/device-runner.ts';
import { Wire, type WireTap } from '../../src/devices/wire.ts';
import type { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import type { Values } from '../../src/protocol/declared/value.ts';
import type { TraceEvent, TraceFact } from '../../src/trace/event.ts';
import { FakeClock } from './fake-clock.ts';
import { FakeLink } from './fake-link.ts';

/** Modbus RTU: one input register, and one to write; with exceptions. */
export const MODBUS = `version: 1
protocol:
  framing: { type: gap }
  address: { type: u8, at: 0, broadcast: 0 }
messages:
  - name: read
    from: host
    fields: [{ name: fn, type: u8, value: 4 }, { name: start, type: u16 }, { name: count, type: u16 }, { name: crc, type: crc, algorithm: crc-16/modbus, byte_order: little }]
    reply: { fields: [{ name: fn, type: u8, value: 4 }, { name: size, type: u8, value: 2 }, { name: power, type: u16, unit: W }, { name: crc, type: crc, algorithm: crc-16/modbus, byte_order: little }] }
  - name: write
    from: host
    fields: [{ name: fn, type: u8, value: 6 }, { name: at, type: u16 }, { name: value, type: u16 }, { name: crc, type: crc, algorithm: crc-16/modbus, byte_order: little }]
    reply: { fields: [{ name: fn, type: u8, value: 6 }, { name: at, type: u16 }, { name: value, type: u16 }, { name: crc, type: crc, algorithm: crc-16/modbus, byte_order: little }] }
  - name: exception
    from: device
    rejects: { request: any, code: code }
    fields: [{ name: fn, type: u8 }, { name: code, type: u8 }, { name: crc, type: crc, algorithm: crc-16/modbus, byte_order: little }]
`;

export const SLIP_MODBUS = MODBUS.replace('{ type: gap }', '{ type: slip }');

export const DTU_MODBUS = MODBUS.replace(
  'protocol:',
  'protocol:\n  registration: { text: "DTU-*", length: 4, accept: "OK", refuse: "NO" }',
);

export const modbus = (text = MODBUS): DeclaredProtocol => {
  const { protocol, problems } = loadMessages(text, 'modbus.yaml');
  if (protocol === undefined) throw new Error(JSON.stringify(problems));
  return protocol;
};

/** A configuration whose devices speak `modbus.yaml`. */
export function busConfig(yaml: string): BridgeConfig {
  const { config, problems } = loadConfig(
    yaml,
    'devices.yaml',
    new Map([
      ['modbus.yaml', { ...loadMessages(MODBUS, 'modbus.yaml'), problems: [] }],
      // What the DTU in front of them says first.
      ['dtu.yaml', { ...loadMessages(DTU_MODBUS, 'dtu.yaml'), problems: [] }],
      // The same in other frames.
      ['slip.yaml', { ...loadMessages(SLIP_MODBUS, 'slip.yaml'), problems: [] }],
      // The same without an address to which all listen.
      ['plain.yaml', { ...loadMessages(MODBUS.replace(', broadcast: 0', ''), 'plain.yaml'), problems: [] }],
    ]),
  );
  if (config === undefined) throw new Error(JSON.stringify(problems));
  return config;
}

/** One bus with devices `m1` to `mN` at the addresses 1 to N. */
export function meters(count: number, everyMs = 500, bus = ''): BridgeConfig {
  const devices = Array.from(
    { length: count },
    (_, index) =>
      `  - { id: m${index + 1}, bus: line, address: ${index + 1}, messages: modbus.yaml, poll: [{ message: read, fields: { start: 0, count: 1 }, every: ${everyMs}ms }] }`,
  );
  return busConfig(
    `buses:\n  - { id: line, link: /dev/ttyS9, baud: 9600-8E1, timeout: 500ms${bus} }\ndevices:\n${devices.join('\n')}\n`,
  );
}

/** What a slave does with a request: bytes, each so long after it. */
export type Slaves = (request: Uint8Array, nth: number) => readonly { afterMs: number; bytes: Uint8Array }[];

export interface Asked {
  readonly at: number;
  readonly address: number;
  readonly fn: number;
}

/** A bus at the end of a line without a port: time moves only with `clock`, and slaves answer as the test says. */
export class BusLine {
  readonly clock = new FakeClock();
  readonly bus: BusRunner;
  readonly runners = new Map<string, DeviceRunner>();
  readonly asked: Asked[] = [];
  readonly documents = new Map<string, JsonObject>();
  readonly events: { readonly topic: string; readonly data: JsonObject }[] = [];
  /** What a recorder would have of the line. */
  readonly recorded: TraceEvent[] = [];
  readonly notes: string[] = [];
  readonly log: string[] = [];
  readonly outcomes = new Map<number, { readonly at: number; readonly outcome: RequestOutcome }>();
  link = new FakeLink('/dev/ttyS9', 'serial');
  readonly #startedAt: number;
  readonly #slaves: Slaves;

  constructor(config: BridgeConfig, slaves: Slaves) {
    this.#slaves = slaves;
    this.#startedAt = this.clock.now().monoMs;
    const [line] = config.buses ?? [];
    if (line === undefined) throw new Error('There is no bus.');
    const note = (_: object, text: string): void => void this.log.push(text);
    const shared = {
      clock: this.clock,
      log: { info: note, warn: note, error: note },
      publisher: this.#publisher(),
      wantsBytes: () => false,
    };
    const ports = { random: () => 0.5, localTime: () => '', parseLocalTime: () => undefined };
    this.bus = new BusRunner({
      ...shared,
      config: line,
      ports,
      makeWire: (_, owner, codec) => {
        this.link = this.#makeLink();
        return new Wire(this.link, codec, owner, { tap: this.#tap() });
      },
      note: (text) => void this.notes.push(text),
    });
    for (const device of config.devices) {
      if (device.kind !== 'bus') continue;
      const codec = memberCodec(device);
      const runner = new DeviceRunner({
        ...shared,
        settings: device.session,
        ports: { ...ports, messages: new MessageCatalog(device.messages) },
        makeWire: (_, owner) => new MemberWire(device, codec, owner, this.bus),
        member: {
          wanted: (wish) => this.bus.wanted(device.id, wish),
          turnOver: (how) => this.bus.turnOver(device.id, how),
        },
      });
      this.runners.set(device.id, runner);
    }
  }

  /** All is started, and the port opens. */
  open(): this {
    for (const runner of this.runners.values()) runner.start();
    this.bus.start();
    this.link.connect();
    return this;
  }

  /** Ms since the start. */
  get now(): number {
    return this.clock.now().monoMs - this.#startedAt;
  }

  state(device: string): StateDocument | undefined {
    // Only runners publish here.
    return this.documents.get(`devices/${device}/state`) as StateDocument | undefined;
  }

  times(address: number): number[] {
    return this.asked.filter((each) => each.address === address).map(({ at }) => at);
  }

  command(requestId: number, device: string, message: string, fields: Values): void {
    void this.runners
      .get(device)
      ?.request(message, fields, 2_000)
      .then((outcome) => this.outcomes.set(requestId, { at: this.now, outcome }));
  }

  /** Bytes on the line, and the silence behind them. */
  say(bytes: Uint8Array): void {
    if (!this.link.isOpen) return;
    this.link.data(bytes);
    this.link.idle();
  }

  #tap(): WireTap {
    const add = (fact: TraceFact): void =>
      void this.recorded.push({ atUs: this.now * 1_000, connection: 'c1', fact, line: 0 });
    return {
      dialled: (detail) => add({ kind: 'life', word: 'dial', detail }),
      opened: (detail) => add({ kind: 'life', word: 'open', detail }),
      received: (chunk) => add({ kind: 'in', bytes: chunk.slice() }),
      idle: () => add({ kind: 'life', word: 'idle', detail: '' }),
      sent: (frame) => add({ kind: 'out', bytes: frame }),
    };
  }

  #makeLink(): FakeLink {
    const link = new FakeLink('/dev/ttyS9', 'serial');
    const send = link.send.bind(link);
    link.send = (bytes) => {
      const outcome = send(bytes);
      const [address = 0, fn = 0] = bytes;
      this.asked.push({ at: this.now, address, fn });
      for (const answer of this.#slaves(bytes, this.times(address).length)) {
        this.clock.setTimer(this.clock.now().monoMs + answer.afterMs, () => this.say(answer.bytes));
      }
      return outcome;
    };
    return link;
  }

  #publisher(): Publisher {
    return {
      publishState: (topic, document) => void this.documents.set(topic, document),
      removeState: (topic) => void this.documents.delete(topic),
      publishEvent: (topic, data) =>
        void this.events.push({ topic, data: typeof data === 'function' ? data() : data }),
    };
  }
}
