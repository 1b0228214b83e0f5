import { openPty, type Pty } from './pty.ts';

/** A device at the far end of a pty, from a few lines of its own: answers register, heartbeat and datetime. */
export class PtyDevice {
  readonly pty: Pty = openPty();
  /** Says nothing while it is true. */
  silent = false;
  /** What goes out instead of an answer. */
  spoil: (answer: Buffer) => Buffer = (answer) => answer;
  #held: Buffer = Buffer.alloc(0);

  constructor() {
    this.pty.onData((chunk) => this.#read(chunk));
  }

  #read(chunk: Buffer): void {
    this.#held = Buffer.concat([this.#held, chunk]);
    while (this.#held.length >= 4) {
      const end = 4 + this.#held.readUInt32BE(0);
      if (this.#held.length < end) return;
      const payload = this.#held.subarray(4, end);
      this.#held = this.#held.subarray(end);
      const answer = answerTo(payload);
      if (answer !== undefined && !this.silent) this.pty.write(this.spoil(answer));
    }
  }
}

function answerTo(payload: Buffer): Buffer | undefined {
  switch (`${payload[0]} of ${payload.length}`) {
    case '0 of 52':
      return Buffer.from('000000020000', 'hex');
    case '1 of 1':
      return Buffer.from('000000020100', 'hex');
    case '2 of 1':
      return Buffer.concat([Buffer.from('000000150200', 'hex'), Buffer.from('2026-11-21 00:07:36')]);
    default:
      return undefined;
  }
}
