import type { ClientEntry } from '../../contract/feed/index.ts';
import type {
  CommandOutcome,
  FeedAddition,
  FeedClient,
  FeedCommand,
  RecoveryCut,
} from '../../contract/index.ts';
import type { JsonObject, Position } from '../../contract/wire/index.ts';
import { ERROR_CODES, HeartwireError } from '../../errors.ts';
import type { Instant } from '../../instant.ts';
import { type Clock, withResolvers } from '../../system/index.ts';
import type { Kicked, KickedClients, ListedClients, SessionPort } from '../core/session-context.ts';
import type { SessionMemory } from '../core/session-memory.ts';
import type { Authorizer } from './authorizer.ts';
import type { ClientPeers } from './client-peers.ts';
import type { Attempt, Connection } from './connection.ts';
import type { Presence } from './presence.ts';

/** Carries out commands of clients to devices; a rejection is answered with its code. */
export type CommandHandler = (command: FeedCommand, client: FeedClient) => Promise<CommandOutcome>;

/** Adds an entry to the configuration, or shows what that changes; a rejection is answered with its code. */
export type AdditionHandler = (addition: FeedAddition, address: string) => Promise<JsonObject>;

/**
 * What is still to be read from other instances before patterns can be answered, and what a position that another one gave
 * covers here; undefined: nothing.
 */
export type WantedHandler = (
  patterns: readonly string[],
  since?: Position,
) => Promise<RecoveryCut | undefined> | undefined;

/** The handler knows the time-out and names what it waited for; this much later the feed answers instead. */
const GRACE_MS = 1_000;

const NO_COMMANDS: CommandOutcome = {
  ok: false,
  code: 'not_supported',
  message: 'This server takes no commands.',
  retry: false,
};

const NO_FILE: CommandOutcome = {
  ok: false,
  code: 'config_not_a_file',
  message: 'This bridge was not started from a file that could be changed.',
  retry: false,
};

/** Runs one command to exactly one outcome, whatever the handler does. Never rejects. */
export function dispatchCommand(
  command: FeedCommand,
  client: FeedClient,
  handler: CommandHandler | undefined,
  clock: Clock,
): Promise<CommandOutcome> {
  if (handler === undefined) return Promise.resolve(NO_COMMANDS);
  const { promise, resolve } = withResolvers<CommandOutcome>();
  const late = (): void => {
    const message = `No answer within ${command.timeoutMs} ms.`;
    resolve({ ok: false, code: 'command_timeout', message, retry: true });
  };
  // Behind a loop that stood still the answer may lie in the socket already.
  const timer = clock.setTimer(clock.now().monoMs + command.timeoutMs + GRACE_MS, () => {
    clock.afterReading(late);
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

async function dispatchAddition(
  addition: FeedAddition,
  address: string,
  handler: AdditionHandler | undefined,
): Promise<CommandOutcome> {
  if (handler === undefined) return NO_FILE;
  try {
    return { ok: true, result: await handler(addition, address) };
  } catch (cause) {
    const outcome = outcomeOf(cause);
    if (outcome.ok || !(cause instanceof HeartwireError)) return outcome;
    const { message, code, fix = ERROR_CODES[code].fix } = cause;
    return { ...outcome, message: `${message} ${fix}`, retry: code === 'config_busy' };
  }
}

function outcomeOf(cause: unknown): CommandOutcome {
  const code = cause instanceof HeartwireError ? cause.code : 'command_failed';
  return { ok: false, code, message: cause instanceof Error ? cause.message : String(cause), retry: false };
}

/** Serves what sessions ask of presence, of each other and of devices. One for all sessions: there are very many. */
export class SessionService implements SessionPort<Connection> {
  readonly access: Authorizer;
  readonly #presence: Presence;
  readonly #clock: Clock;
  readonly #commands: CommandHandler | undefined;
  readonly #additions: AdditionHandler | undefined;
  readonly #attempt: Attempt;
  readonly #wanted: WantedHandler | undefined;
  readonly #peers: ClientPeers | undefined;

  /** Without `commands` every command is answered with `not_supported`. */
  constructor(
    access: Authorizer,
    presence: Presence,
    clock: Clock,
    commands: CommandHandler | undefined,
    additions: AdditionHandler | undefined,
    attempt: Attempt,
    wanted?: WantedHandler,
    peers?: ClientPeers,
  ) {
    this.#peers = peers;
    this.access = access;
    this.#wanted = wanted;
    this.#presence = presence;
    this.#clock = clock;
    this.#commands = commands;
    this.#additions = additions;
    this.#attempt = attempt;
  }

  /** Clients that a broadcast reaches. */
  get clientCount(): number {
    let count = 0;
    for (const { quiet } of this.#presence.present()) if (!quiet) count++;
    return count;
  }

  /** All connected and authorized clients of this instance. */
  present(): readonly ClientEntry[] {
    const entries: ClientEntry[] = [];
    for (const connection of this.#presence.present()) {
      const { session, closing } = connection;
      if (session === undefined || closing) continue;
      const user = this.access.subjectOf(connection);
      entries.push(user === undefined ? session.entry : { ...session.entry, user });
    }
    return entries;
  }

  clients(connection: Connection, done: (listed: ListedClients, now: Instant) => void): void {
    const own = this.present();
    const peers = this.#peers;
    if (peers === undefined) return done({ clients: own, count: own.length }, this.#clock.now());
    const { instance } = peers;
    void peers.clients().then(({ clients: others, omitted, unreached }) => {
      const clients = [...own.map((each) => ({ ...each, instance })), ...others];
      const missing = unreached.length === 0 ? {} : { unreached };
      this.#later(connection, (now) => done({ clients, count: clients.length + omitted, ...missing }, now));
    });
  }

  command(
    command: FeedCommand,
    client: FeedClient,
    done: (outcome: CommandOutcome, now: Instant) => void,
  ): void {
    const clock = this.#clock;
    void dispatchCommand(command, client, this.#commands, clock).then((outcome) =>
      // Another connection may have the session by now, or none.
      this.#attempt(this.#presence.holderOf(client.id), () => done(outcome, clock.now())),
    );
  }

  addEntry(
    connection: Connection,
    addition: FeedAddition,
    done: (outcome: CommandOutcome, now: Instant) => void,
  ): void {
    void dispatchAddition(addition, connection.address, this.#additions).then((outcome) =>
      this.#attempt(connection, () => {
        if (!connection.closing) done(outcome, this.#clock.now());
      }),
    );
  }

  awaits(
    connection: Connection,
    patterns: readonly string[],
    since: Position | undefined,
    done: (now: Instant, cut: RecoveryCut | undefined) => void,
  ): boolean {
    const there = this.#wanted?.(patterns, since);
    void there?.then((cut) => this.#later(connection, (now) => done(now, cut)));
    return there !== undefined;
  }

  #later(connection: Connection, done: (now: Instant) => void): void {
    this.#attempt(connection, () => {
      if (!connection.closing) done(this.#clock.now());
    });
  }

  resume(connection: Connection, secret: string): SessionMemory | undefined {
    return this.#presence.resume(secret, connection, this.access.ownerOf(connection), this.#clock.now());
  }

  kick(connection: Connection, target: KickedClients, done: (kicked: Kicked, now: Instant) => void): void {
    const own = this.closeAll(target, connection);
    if (this.#peers === undefined) return done({ count: own, unreached: [] }, this.#clock.now());
    void this.#peers.kick(target).then(({ count, unreached }) => {
      this.#later(connection, (now) => done({ count: own + count, unreached }, now));
    });
  }

  /** How many connections of this instance were closed. The one that asks is left out where it is not named by its id. */
  closeAll(target: KickedClients, asking?: Connection): number {
    const now = this.#clock.now();
    const found =
      'client_id' in target ? [this.#presence.holderOf(target.client_id)] : this.#of(target, asking);
    let count = 0;
    for (const connection of found) {
      if (connection === undefined) continue;
      connection.close('kicked', now);
      count++;
    }
    return count;
  }

  #of(target: { readonly user: string } | { readonly address: string }, asking?: Connection): Connection[] {
    return [...this.#presence.present()].filter((each) => {
      if (each === asking || each.closing) return false;
      return 'user' in target ? this.access.subjectOf(each) === target.user : each.address === target.address;
    });
  }
}
