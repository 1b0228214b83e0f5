import type { Value, Values } from '../contract/index.ts';
import type { DeclaredMessage, DeclaredProtocol, HelloCodec } from '../protocol/index.ts';
import type { DeclaredDevice, DeviceTime } from './declared-device.ts';

type Login = NonNullable<NonNullable<DeclaredProtocol['declaration']['session']>['login']>[number];

/** What is said on the way in. */
export type LoginSpeech =
  /** In front of the frames. */
  | { readonly kind: 'hello'; readonly bytes: Uint8Array }
  | { readonly kind: 'message'; readonly message: string; readonly payload: Uint8Array }
  | { readonly kind: 'loggedIn' }
  | { readonly kind: 'refused'; readonly error: number }
  /** Made-up values cannot fill it. */
  | { readonly kind: 'unable'; readonly message: string };

/**
 * The login of a device on one link:
 *
 *     hello ─accepted─▶ first login ─accepted─▶ ... ─▶ logged in
 *       └──────────refused──┴──────────▶ refused
 *
 * What nothing answers is taken as accepted.
 */
export class DeclaredLogin {
  readonly #device: DeclaredDevice;
  readonly #protocol: DeclaredProtocol;
  readonly #logins: readonly Login[];
  readonly #time: () => DeviceTime;
  #step = -1;
  /** What was said, until it is answered. */
  #said: Values | undefined;
  #hello: HelloCodec | undefined;
  #front: Uint8Array = new Uint8Array(0);

  /** A device that was accepted before leaves out all logins but the last: they are for new ones. */
  constructor(device: DeclaredDevice, protocol: DeclaredProtocol, known: boolean, time: () => DeviceTime) {
    const all = protocol.declaration.session?.login ?? [];
    this.#device = device;
    this.#protocol = protocol;
    this.#logins = known ? all.slice(-1) : all;
    this.#time = time;
  }

  /** Bytes come in front of the first frame, not as frames. */
  get awaitsFront(): boolean {
    return this.#hello !== undefined;
  }

  begin(): readonly LoginSpeech[] {
    const { hello } = this.#protocol;
    if (hello === undefined) return this.#next();
    const bytes = this.#device.hello(hello, this.#time());
    if (bytes === undefined) return [{ kind: 'unable', message: 'hello' }];
    const said: LoginSpeech = { kind: 'hello', bytes };
    if (hello.answer(true) === undefined) return [said, ...this.#next()];
    this.#hello = hello;
    return [said];
  }

  /** Takes bytes that came in front of the first frame; `rest` is what stands behind the answer. */
  takeFront(chunk: Uint8Array): { readonly said: readonly LoginSpeech[]; readonly rest: Uint8Array } {
    this.#front = Buffer.concat([this.#front, chunk]);
    const answer = this.#hello?.answerIn(this.#front);
    if (answer !== undefined) {
      this.#hello = undefined;
      if (!answer.accepted) return { said: [{ kind: 'refused', error: -1 }], rest: NOTHING };
      return { said: this.#next(), rest: this.#front.subarray(answer.end) };
    }
    const more = [true, false].some((accepted) => {
      const answer = this.#hello?.answer(accepted)?.encoded?.payload;
      return answer !== undefined && startsWith(answer, this.#front);
    });
    return more ? { said: [], rest: NOTHING } : { said: [{ kind: 'refused', error: -1 }], rest: NOTHING };
  }

  /** A message of the platform came; undefined where it does not answer the login. */
  answered(message: DeclaredMessage): readonly LoginSpeech[] | undefined {
    const login = this.#logins[this.#step];
    if (login === undefined || this.#said === undefined) return undefined;
    const own = login.answer === undefined;
    if (message.message !== (login.answer ?? login.message) || (message.kind === 'reply') !== own)
      return undefined;
    const { declaration, forms } = this.#protocol.message(login.message) ?? {};
    const copy = login.copy ?? (typeof declaration?.reply === 'object' ? declaration.reply.copy : undefined);
    for (const [field, source] of Object.entries(copy ?? {})) {
      if (!this.#device.counts(login.message, forms?.[0].fields ?? [], source)) continue;
      if (this.#said[source] !== message.fields[field]) return undefined;
    }
    if (message.kind === 'reply' && message.error !== 0) return [{ kind: 'refused', error: message.error }];
    const { accept } = login;
    const wrong = Object.entries(accept ?? {}).find(
      ([field, value]) => isPlain(value) && String(message.fields[field]) !== String(value),
    );
    if (wrong !== undefined) {
      const code = message.raw[wrong[0]] ?? message.fields[wrong[0]];
      return [{ kind: 'refused', error: typeof code === 'number' ? code : -1 }];
    }
    this.#device.wasGiven(message.fields);
    return this.#next();
  }

  #next(): readonly LoginSpeech[] {
    const said: LoginSpeech[] = [];
    for (;;) {
      this.#step++;
      this.#said = undefined;
      const login = this.#logins[this.#step];
      if (login === undefined) return [...said, { kind: 'loggedIn' }];
      const made = this.#device.sayLogin(login.message, this.#time());
      if (made === undefined) return [...said, { kind: 'unable', message: login.message }];
      said.push({ kind: 'message', message: login.message, payload: made.payload });
      const { reply = 'none' } = this.#protocol.message(login.message)?.declaration ?? {};
      if (login.answer !== undefined || reply !== 'none') {
        this.#said = made.values;
        return said;
      }
    }
  }
}

const NOTHING = new Uint8Array(0);

const isPlain = (value: Value | undefined): value is string | number | boolean =>
  typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';

const startsWith = (bytes: Uint8Array, front: Uint8Array): boolean =>
  bytes.length >= front.length && front.every((byte, at) => bytes[at] === byte);
