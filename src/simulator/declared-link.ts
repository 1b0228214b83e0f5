import { type FrameDecoder, type Framing, makeFraming, payloadJudge } from '../protocol/index.ts';
import { DeclaredDevice, type DeviceTime } from './declared-device.ts';
import { DeclaredLogin, type LoginSpeech } from './declared-login.ts';
import { type Faults, FaultyLine } from './faults.ts';
import type { LinkProtocolPorts } from './link-protocol.ts';
import type { DeviceIdentity } from './random.ts';
import type { DeclaredSettings } from './speech.ts';
import { UnframedAnswers } from './unframed-answers.ts';

/** A silence that ends a frame, where its framing needs one. */
const GAP_MS = 20;

/** A login that is not answered for so long ends the link, in ms. */
const ANSWERED_WITHIN_MS = 30_000;
/** Silence that ends a link, in ms, where four heartbeats are less. */
const LEAST_SILENCE_MS = 10_000;
/** However late a timer is, the answer may lie in the socket already: it is read before anything is judged. */
const READING_MS = 1;

/** The devices of a line, by their addresses. */
export type DeclaredDevices = ReadonlyMap<number | undefined, DeclaredDevice>;

/** How a device comes in on one link. */
export interface DeclaredEntrance {
  /** False: it says nothing of who it is. */
  readonly logsIn: boolean;
  /** It was accepted on an earlier link. */
  readonly known: boolean;
  /** It dials: a platform that says nothing for too long is left. */
  readonly dials: boolean;
}

/**
 * The devices at the far end of one link that speak declared messages:
 *
 *     login ─accepted─▶ messages, heartbeats, questions for the time ─(short, or a silent platform)─▶ hang up
 *       └────refused────▶ hang up
 *
 * Where no session is declared, messages are said from the start.
 */
export class DeclaredLink {
  readonly #settings: DeclaredSettings;
  readonly #faults: Faults;
  readonly #ports: LinkProtocolPorts;
  readonly #time: () => DeviceTime;
  readonly #line: FaultyLine;
  readonly #framing: Framing;
  readonly #decoder: FrameDecoder;
  readonly #devices: DeclaredDevices;
  readonly #entrance: DeclaredEntrance;
  readonly #login: DeclaredLogin | undefined;
  readonly #unframed: UnframedAnswers | undefined;
  #lastValidAtMs: number;
  #inside = false;
  #silence: { cancel(): void } | undefined;
  #mute = false;

  constructor(
    settings: DeclaredSettings,
    faults: Faults,
    ports: LinkProtocolPorts,
    devices: DeclaredDevices,
    time: () => DeviceTime,
    serial: boolean,
    entrance: DeclaredEntrance,
  ) {
    const { protocol } = settings;
    this.#settings = settings;
    this.#faults = faults;
    this.#ports = ports;
    this.#time = time;
    this.#devices = devices;
    this.#entrance = entrance;
    this.#lastValidAtMs = ports.now();
    this.#line = new FaultyLine((bytes) => ports.send(bytes), faults, ports.random, ports.timers);
    this.#framing = makeFraming(protocol.declaration.framing);
    this.#decoder = this.#framing.makeDecoder(
      {
        frame: (bytes, start, end, kind) => this.#received(bytes.slice(start, end), kind),
        discarded: () => undefined,
        fault: () => ports.hangUp(false),
      },
      { line: serial ? 'serial' : 'stream', judge: payloadJudge(protocol, 'host') },
    );
    const [device] = devices.values();
    if (!protocol.logsIn || !entrance.logsIn || device === undefined) return;
    this.#login = new DeclaredLogin(device, protocol, entrance.known, time);
    this.#unframed = UnframedAnswers.of(protocol);
  }

  start(): void {
    if (this.#faults.halfOpenAfterMs !== undefined) {
      this.#ports.timers.after(this.#faults.halfOpenAfterMs, () => {
        this.#mute = true;
        this.#ports.timers.cancelAll();
        this.#ports.report({ kind: 'half_open' });
      });
    }
    if (this.#faults.echo === true) return this.#ports.succeeded();
    if (this.#login === undefined) {
      this.#ports.succeeded();
      this.#speak();
      return;
    }
    this.#judgeAfter(ANSWERED_WITHIN_MS, () => {
      if (!this.#inside) this.#ports.hangUp(false);
    });
    this.#say(this.#login.begin());
  }

  receive(chunk: Uint8Array): void {
    if (this.#mute) return;
    if (this.#faults.echo === true) return this.#line.write(chunk);
    let bytes = chunk;
    if (this.#login?.awaitsFront === true) {
      const { said, rest } = this.#login.takeFront(chunk);
      bytes = rest;
      this.#say(said);
    }
    if (this.#unframed !== undefined) {
      const { answers, rest } = this.#unframed.take(bytes);
      for (let index = 0; index < answers; index++) this.#counted();
      bytes = rest;
    }
    if (bytes.length > 0) this.#decoder.push(bytes);
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

  /** What the login says next, and what that means. */
  #say(said: readonly LoginSpeech[]): void {
    for (const speech of said) {
      switch (speech.kind) {
        case 'hello':
          this.#ports.counts.sent += 1;
          this.#line.write(speech.bytes);
          break;
        case 'message':
          this.#write(speech.payload, this.#settings.protocol.kindOf(speech.message));
          break;
        case 'loggedIn':
          this.#loggedIn();
          break;
        case 'refused':
          this.#ports.report({ kind: 'refused', error: speech.error });
          this.#ports.hangUp(true);
          break;
        case 'unable':
          this.#ports.report({ kind: 'unable', message: speech.message });
          this.#ports.hangUp(true);
          break;
      }
    }
  }

  #loggedIn(): void {
    this.#inside = true;
    this.#lastValidAtMs = this.#ports.now();
    this.#ports.succeeded();
    this.#ports.report({ kind: 'registered' });
    this.#speak();
  }

  /** Says what is declared, each message at its pace. */
  #speak(): void {
    const { protocol, everyMs, heartbeatEveryMs, timeEveryMs } = this.#settings;
    const { session } = protocol.declaration;
    const logins = new Set(session?.login?.map(({ message }) => message));
    const heartbeat = session?.heartbeat?.from === 'host' ? undefined : session?.heartbeat;
    const { messages } = protocol;
    const parts = new Set(messages.flatMap(({ declaration }) => declaration.assemble?.parts ?? []));
    const beatMs = heartbeatEveryMs ?? heartbeat?.everyMs;
    for (const { name, declaration } of messages) {
      if (parts.has(name)) continue; // said with its group
      if (logins.has(name) || name === session?.time?.message) continue;
      const { from = 'any', rejects } = declaration;
      if (from === 'host' || rejects !== undefined) continue;
      if (name === heartbeat?.message) {
        this.#repeat(name, beatMs);
        continue;
      }
      if (protocol.answers.answersRequests(name) || !this.#isSpoken(name)) continue;
      // What both sides may send is said by the device only where it is said how often.
      if (from === 'any' && declaration.everyMs === undefined) continue;
      this.#repeat(name, declaration.everyMs ?? everyMs);
    }
    if (session?.time !== undefined) {
      if (timeEveryMs === undefined) this.#sayNow(session.time.message);
      else this.#repeat(session.time.message, timeEveryMs);
    }
    if (this.#faults.shortEveryMs !== undefined && !this.#isAnswered(heartbeat?.message)) {
      return this.#ports.hangUp(true);
    }
    if (this.#entrance.dials && this.#login !== undefined && this.#isAnswered(heartbeat?.message))
      this.#watchSilence(Math.max(4 * (beatMs ?? 0), LEAST_SILENCE_MS));
  }

  /** Where some values are known, nothing is said that is not. */
  #isSpoken(name: string): boolean {
    if (this.#settings.said === undefined) return true;
    return [...this.#devices.values()].some((device) => device.knows(name));
  }

  /** Whether the platform answers this message by rule. */
  #isAnswered(name: string | undefined): boolean {
    return name !== undefined && this.#settings.protocol.answers.isAnswered(name);
  }

  #watchSilence(limitMs: number): void {
    const leftMs = this.#lastValidAtMs + limitMs - this.#ports.now();
    if (leftMs <= 0) return this.#ports.hangUp(false);
    this.#judgeAfter(leftMs, () => this.#watchSilence(limitMs));
  }

  #judgeAfter(delayMs: number, judge: () => void): void {
    this.#ports.timers.after(delayMs, () => this.#ports.timers.after(READING_MS, judge));
  }

  /** `kind` is the framing in whose frame it came, where there are several. */
  #received(payload: Uint8Array, kind?: string): void {
    if (this.#mute) return;
    const { protocol } = this.#settings;
    this.#counted();
    if (this.#login !== undefined) {
      const message = protocol.decode(payload, 0, payload.length, 'host', undefined, kind);
      if (message.name === 'declared') {
        if (!this.#inside) {
          const said = this.#login.answered(message);
          if (said !== undefined) return this.#say(said);
        } else if (this.#faults.shortEveryMs !== undefined && this.#answersBeat(message.message)) {
          return this.#ports.hangUp(true);
        }
      }
    }
    const address = protocol.addressIn(payload, 0, payload.length);
    if (address !== undefined && this.#fails(address)) return;
    const device = this.#devices.get(address);
    const reply = device?.answer(payload, this.#time(), kind, this.#faults.refuse);
    if (device === undefined || reply === undefined) return;
    // What a rule answers may have other frames than what it answers.
    const framing = device.answeredIn(payload, kind) ?? kind;
    const { lateReplyMs } = this.#faults;
    if (lateReplyMs === undefined) this.#write(reply, framing);
    else this.#ports.timers.after(lateReplyMs, () => this.#write(reply, framing));
  }

  #fails(address: number): boolean {
    const { failing } = this.#settings;
    if (failing?.address !== address) return false;
    const { everyMs, forMs, shiftMs = 0 } = failing;
    return (this.#time().elapsedMs + shiftMs) % everyMs >= everyMs - forMs;
  }

  #answersBeat(name: string): boolean {
    const { heartbeat } = this.#settings.protocol.declaration.session ?? {};
    return heartbeat !== undefined && name === (heartbeat.answer ?? heartbeat.message);
  }

  #counted(): void {
    this.#ports.counts.received += 1;
    this.#lastValidAtMs = this.#ports.now();
  }

  #repeat(name: string, everyMs: number | undefined): void {
    if (everyMs === undefined) return;
    this.#sayNow(name);
    this.#ports.timers.after(everyMs, () => this.#repeat(name, everyMs));
  }

  #sayNow(name: string): void {
    for (const device of this.#devices.values()) {
      const kind = this.#settings.protocol.kindOf(name);
      for (const payload of device.say(name, this.#time())) {
        this.#unframed?.said(payload, kind);
        this.#write(payload, kind);
      }
    }
  }

  #write(payload: Uint8Array, kind: string | undefined): void {
    this.#ports.counts.sent += 1;
    this.#line.write(this.#framing.encode(payload, kind));
  }
}

/** The devices of a line, by their addresses; they remember what commands set from one link to the next. */
export function declaredDevices(
  { protocol, addresses, seed, name, said, model }: DeclaredSettings,
  identity?: DeviceIdentity,
): DeclaredDevices {
  const character = { identity, name, said, model };
  if (protocol.declaration.address === undefined)
    return new Map([[undefined, new DeclaredDevice(protocol, seed, character)]]);
  return new Map(
    addresses.map(
      (address) =>
        [
          address,
          new DeclaredDevice(protocol.at(address), seed + address, { ...character, address }),
        ] as const,
    ),
  );
}
