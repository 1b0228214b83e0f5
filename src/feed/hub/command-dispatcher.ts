import type { CommandOutcome, FeedClient, FeedCommand } from '../../contract/command.ts';
import { HeartwireError } from '../../errors.ts';
import type { Clock } from '../../system/clock.ts';
import { withResolvers } from '../../system/with-resolvers.ts';

/** Carries out what subscribers ask of devices; a rejection is answered with its code. */
export type CommandHandler = (command: FeedCommand, client: FeedClient) => Promise<CommandOutcome>;

/** The handler knows the time-out and names what was waited for; this much later the feed answers in its stead. */
const GRACE_MS = 1_000;

const NO_COMMANDS: CommandOutcome = {
  ok: false,
  code: 'not_supported',
  message: 'This server takes no commands.',
  retry: false,
};

/** Runs one command to exactly one outcome, whatever the handler does. Never rejects. */
export function carryOut(
  command: FeedCommand,
  client: FeedClient,
  handler: CommandHandler | undefined,
  clock: Clock,
): Promise<CommandOutcome> {
  if (handler === undefined) return Promise.resolve(NO_COMMANDS);
  const { promise, resolve } = withResolvers<CommandOutcome>();
  const timer = clock.setTimer(clock.now().monoMs + command.timeoutMs + GRACE_MS, () => {
    const message = `No answer within ${command.timeoutMs} ms.`;
    resolve({ ok: false, code: 'command_timeout', message, retry: true });
  });
  const attempt = async (): Promise<CommandOutcome> => handler(command, client);
  attempt()
    .catch((cause: unknown) => outcomeOf(cause))
    .then((outcome) => {
      timer.cancel();
      resolve(outcome);
    });
  return promise;
}

function outcomeOf(cause: unknown): CommandOutcome {
  const code = cause instanceof HeartwireError ? cause.code : 'command_failed';
  return { ok: false, code, message: cause instanceof Error ? cause.message : String(cause), retry: false };
}
