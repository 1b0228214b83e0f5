import { type Faults, FaultyLine } from './faults.ts';
import type { LinkProtocolPorts } from './link-protocol.ts';
import type { RecordedSpeech } from './speech.ts';

/** A device that does as a trace did. */
export class RecordedLink {
  readonly #speech: RecordedSpeech;
  readonly #faults: Faults;
  readonly #ports: LinkProtocolPorts;
  readonly #line: FaultyLine;
  readonly #turns = new Map<string, number>();
  #mute = false;

  constructor(speech: RecordedSpeech, faults: Faults, ports: LinkProtocolPorts) {
    this.#speech = speech;
    this.#faults = faults;
    this.#ports = ports;
    this.#line = new FaultyLine((bytes) => ports.send(bytes), faults, ports.random, ports.timers);
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
    if (this.#faults.echo !== true && this.#speech.unasked.length > 0) this.#sayAll();
  }

  receive(chunk: Uint8Array): void {
    if (this.#mute) return;
    if (this.#faults.echo === true) return this.#line.write(chunk);
    this.#ports.counts.received += 1;
    const asked = Buffer.from(chunk).toString('hex');
    const answers = this.#speech.answers.get(asked);
    if (answers === undefined) return;
    const turn = this.#turns.get(asked) ?? 0;
    this.#turns.set(asked, turn + 1);
    for (const bytes of answers[turn % answers.length] ?? []) {
      this.#ports.timers.after(this.#faults.lateReplyMs ?? 0, () => this.#write(bytes));
    }
  }

  lineIdle(): void {}

  end(): void {
    this.#mute = true;
    this.#ports.timers.cancelAll();
  }

  #sayAll(): void {
    const { unasked, durationMs } = this.#speech;
    for (const { atMs, bytes } of unasked) this.#ports.timers.after(atMs, () => this.#write(bytes));
    this.#ports.timers.after(Math.max(durationMs, 1_000), () => this.#sayAll());
  }

  #write(bytes: Uint8Array): void {
    this.#ports.counts.sent += 1;
    this.#line.write(bytes);
  }
}
