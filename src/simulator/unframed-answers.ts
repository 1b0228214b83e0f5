import type { DeclaredProtocol } from '../protocol/index.ts';

/** Answers that are awaited at most. */
const MOST_AWAITED = 64;
const NOTHING = new Uint8Array(0);

/** Answers that a platform sends without a frame: only what was said shows which bytes they are. */
export class UnframedAnswers {
  readonly #protocol: DeclaredProtocol;
  readonly #awaited: Uint8Array[] = [];
  #held: Uint8Array = NOTHING;

  /** Undefined where all answers have frames. */
  static of(protocol: DeclaredProtocol): UnframedAnswers | undefined {
    const some = protocol.declaration.answers?.some(({ frame }) => frame === 'none') === true;
    return some ? new UnframedAnswers(protocol) : undefined;
  }

  private constructor(protocol: DeclaredProtocol) {
    this.#protocol = protocol;
  }

  /** The device says this. */
  said(payload: Uint8Array, kind: string | undefined): void {
    const message = this.#protocol.decode(payload, 0, payload.length, 'device', undefined, kind);
    if (message.name !== 'declared') return;
    const answer = this.#protocol.answers.to(message, { number: () => 0, wallMs: 0, localTime: () => '' });
    if (answer === undefined || !('message' in answer)) return;
    const { encoded } = answer.message;
    if (encoded?.framed !== false) return;
    if (this.#awaited.length === MOST_AWAITED) this.#awaited.shift();
    this.#awaited.push(encoded.payload);
  }

  /** Takes the answers from the front of what came; `rest` are frames. */
  take(chunk: Uint8Array): { readonly answers: number; readonly rest: Uint8Array } {
    let rest = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    this.#held = NOTHING;
    let answers = 0;
    for (;;) {
      const [next] = this.#awaited;
      if (next === undefined || rest.length === 0) return { answers, rest };
      const common = Math.min(next.length, rest.length);
      if (!next.subarray(0, common).every((byte, at) => rest[at] === byte)) return { answers, rest };
      if (rest.length < next.length) {
        this.#held = rest;
        return { answers, rest: NOTHING };
      }
      rest = rest.subarray(next.length);
      this.#awaited.shift();
      answers += 1;
    }
  }
}
