import type { Identity } from '../../contract/index.ts';
import {
  type AnswerPorts,
  type DeclaredMessage,
  type DeclaredProtocol,
  HELLO,
  type InvalidPayload,
  type Message,
} from '../../protocol/index.ts';
import type { Ending } from './link-protocol.ts';
import type { SessionContext } from './session-ports.ts';

/** Who a message says its sender is; undefined of one that says nothing of it. */
export function introducedBy(
  message: Message | InvalidPayload,
  protocol: DeclaredProtocol | undefined,
): Identity | undefined {
  if (message.name === 'register') return message.kind === 'request' ? message.fields : undefined;
  if (message.name !== 'declared' || protocol === undefined) return undefined;
  const identity =
    message.message === HELLO && protocol.hello !== undefined
      ? protocol.hello.identityOf(message)
      : protocol.answers.identityOf(message);
  return identity === undefined ? undefined : { identity };
}

/** The answer to the message with which a peer said who it is; undefined where that gets none. */
export function loginAnswer(
  protocol: DeclaredProtocol,
  login: DeclaredMessage,
  accepted: boolean,
  ports: AnswerPorts,
): ReturnType<DeclaredProtocol['answers']['toLogin']> {
  if (login.message !== HELLO || protocol.hello === undefined)
    return protocol.answers.toLogin(login, accepted, ports);
  const message = protocol.hello.answer(accepted);
  return message && { message };
}

/** The logins of one link. A link belongs to one identity: the first one that it says. */
export class Logins {
  readonly #context: SessionContext;
  #known: string | undefined;

  constructor(context: SessionContext) {
    this.#context = context;
  }

  /** A declared message came. Where it is a login it is answered; a second identity ends the link. */
  received(message: DeclaredMessage, ports: AnswerPorts): Ending | undefined {
    const protocol = this.#context.ports.messages?.protocol;
    if (protocol === undefined || this.#context.settings.login !== true) return undefined;
    const { identity } = introducedBy(message, protocol) ?? {};
    if (identity === undefined) return undefined;
    const known = this.#known;
    const accepted = known === undefined || known === identity;
    const answer = loginAnswer(protocol, message, accepted, ports);
    if (answer !== undefined) sendAnswer(this.#context, answer);
    if (!accepted) {
      const detail = `it logged in again as ${identity} on the link of ${known}`;
      return { reason: 'identity_changed', detail, how: 'end' };
    }
    this.#known = identity;
    this.#context.axes.setPart('identity', { identity });
    return undefined;
  }
}

/** Sends an answer by rule; one that cannot be made is reported. */
export function sendAnswer(
  { emit }: Pick<SessionContext, 'emit'>,
  answer: NonNullable<ReturnType<DeclaredProtocol['answers']['to']>>,
): void {
  if ('message' in answer) return emit({ type: 'send', message: answer.message });
  const text = `${answer.answer} could not be made: ${answer.problem}`;
  emit({ type: 'log', level: 'warn', reason: 'answer_not_made', text });
}
