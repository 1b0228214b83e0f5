import { type FrameDecoder, type Framing, makeFraming, payloadJudge } from '../protocol/index.ts';
import { DeclaredDevice, type DeviceTime } from './declared-device.ts';
import { type Faults, FaultyLine } from './faults.ts';
import type { LinkProtocolPorts } from './link-protocol.ts';
import type { DeclaredSettings } from './speech.ts';

/** A silence that ends a frame, where its framing needs one. */
const GAP_MS = 20;

/** The devices of a line, by their addresses. */
export type DeclaredDevices = ReadonlyMap<number | undefined, DeclaredDevice>;

/** The devices at the far end of one link that speak declared messages. */
export class DeclaredLink {
  readonly #settings: DeclaredSettings;
  readonly #faults: Faults;
  readonly #ports: LinkProtocolPorts;
  readonly #time: () => DeviceTime;
  readonly #line: FaultyLine;
  readonly #framing: Framing;
  readonly #decoder: FrameDecoder;
  readonly #devices: DeclaredDevices;
  #silence: { cancel(): void } | undefined;
  #mute = false;

  constructor(
    settings: DeclaredSettings,
    faults: Faults,
    ports: LinkProtocolPorts,
    devices: DeclaredDevices,
    time: () => DeviceTime,
    serial: boolean,
  ) {
    this.#settings = settings;
    this.#faults = faults;
    this.#ports = ports;
    this.#time = time;
    this.#devices = devices;
    this.#line = new FaultyLine((bytes) => ports.send(bytes), faults, ports.random, ports.timers);
    this.#framing = makeFraming(settings.protocol.declaration.framing);
    this.#decoder = this.#framing.makeDecoder(
      {
        frame: (bytes, start, end, kind) => this.#received(bytes.slice(start, end), kind),
        discarded: () => undefined,
        fault: () => ports.hangUp(false),
      },
      { line: serial ? 'serial' : 'stream', judge: payloadJudge(settings.protocol, 'host') },
    );
  }

  start(): void {
    if (this.#faults.halfOpenAfterMs !== undefined) {
      this.#ports.timers.after(this.#faults.halfOpenAfterMs, () => {
        this.#mute = true;
        this.#ports.timers.cancelAll();
        this.#ports.report({ kind: 'half_open' });
      });
    }
    this.#ports.succeeded();
    if (this.#faults.echo === true) return;
    const { messages } = this.#settings.protocol;
    const parts = new Set(messages.flatMap(({ declaration }) => declaration.assemble?.parts ?? []));
    for (const { name, declaration } of messages) {
      if (parts.has(name)) continue; // said with its group
      const { from = 'any', everyMs = this.#settings.everyMs, rejects } = declaration;
      if (from === 'host' || rejects !== undefined || everyMs === undefined) continue;
      // What both sides may send is said by the device only where it is said how often.
      if (from === 'any' && declaration.everyMs === undefined) continue;
      this.#repeat(name, everyMs);
    }
  }

  receive(chunk: Uint8Array): void {
    if (this.#mute) return;
    if (this.#faults.echo === true) return this.#line.write(chunk);
    this.#decoder.push(chunk);
    if (!this.#framing.needsSilence) return;
    this.#silence?.cancel();
    this.#silence = this.#ports.timers.after(GAP_MS, () => this.lineIdle());
  }

  lineIdle(): void {
    if (!this.#mute && this.#faults.echo !== true) this.#decoder.idle();
  }

  end(): void {
    this.#mute = true;
    this.#ports.timers.cancelAll();
    this.#decoder.close();
  }

  /** `kind` is the framing in whose frame it came, where there are several. */
  #received(payload: Uint8Array, kind?: string): void {
    this.#ports.counts.received += 1;
    const address = this.#settings.protocol.addressIn(payload, 0, payload.length);
    const reply = this.#devices.get(address)?.answer(payload, this.#time(), kind);
    if (reply === undefined) return;
    const { lateReplyMs } = this.#faults;
    if (lateReplyMs === undefined) this.#write(reply, kind);
    else this.#ports.timers.after(lateReplyMs, () => this.#write(reply, kind));
  }

  #repeat(name: string, everyMs: number): void {
    for (const device of this.#devices.values()) {
      const kind = this.#settings.protocol.kindOf(name);
      for (const payload of device.say(name, this.#time())) this.#write(payload, kind);
    }
    this.#ports.timers.after(everyMs, () => this.#repeat(name, everyMs));
  }

  #write(payload: Uint8Array, kind: string | undefined): void {
    this.#ports.counts.sent += 1;
    this.#line.write(this.#framing.encode(payload, kind));
  }
}

/** The devices of a line, by their addresses; they remember what commands set from one link to the next. */
export function declaredDevices({ protocol, addresses, seed }: DeclaredSettings): DeclaredDevices {
  if (protocol.declaration.address === undefined)
    return new Map([[undefined, new DeclaredDevice(protocol, seed)]]);
  return new Map(
    addresses.map((address) => [address, new DeclaredDevice(protocol.at(address), seed + address)] as const),
  );
}
