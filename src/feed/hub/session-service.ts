import type { CommandOutcome, FeedClient, FeedCommand } from '../../contract/command.ts';
import type { ClientEntry } from '../../contract/feed/server-messages.ts';
import type { Instant } from '../../instant.ts';
import type { Clock } from '../../system/clock.ts';
import type { SessionMemory } from '../core/session-memory.ts';
import type { SessionPort } from '../core/session-surroundings.ts';
import type { Authorizer } from './authorizer.ts';
import { type CommandHandler, carryOut } from './command-dispatcher.ts';
import type { Connection } from './connection.ts';
import type { Presence } from './presence.ts';

/** Does something that concerns one connection, or none any more; a defect in it ends that connection, and no other. */
export type Attempt = (connection: Connection | undefined, act: () => void) => void;

/** What all sessions ask of the roster, of each other, and of the devices. One for all of them: there are very many. */
export class SessionService implements SessionPort<Connection> {
  readonly access: Authorizer;
  readonly #attendance: Presence;
  readonly #clock: Clock;
  readonly #commands: CommandHandler | undefined;
  readonly #attempt: Attempt;

  /** Without `commands` every command is answered with `not_supported`. */
  constructor(
    access: Authorizer,
    attendance: Presence,
    clock: Clock,
    commands: CommandHandler | undefined,
    attempt: Attempt,
  ) {
    this.access = access;
    this.#attendance = attendance;
    this.#clock = clock;
    this.#commands = commands;
    this.#attempt = attempt;
  }

  /** How many get what goes to everybody. */
  get clientCount(): number {
    let count = 0;
    for (const { quiet } of this.#attendance.present()) if (!quiet) count++;
    return count;
  }

  /** Everybody who is connected and was let in. */
  clients(): readonly ClientEntry[] {
    const entries: ClientEntry[] = [];
    for (const { session, closing } of this.#attendance.present()) {
      if (session !== undefined && !closing) entries.push(session.entry);
    }
    return entries;
  }

  command(
    command: FeedCommand,
    client: FeedClient,
    done: (outcome: CommandOutcome, now: Instant) => void,
  ): void {
    const clock = this.#clock;
    void carryOut(command, client, this.#commands, clock).then((outcome) =>
      // Its session may be another connection's by now, or wait for one.
      this.#attempt(this.#attendance.holderOf(client.id), () => done(outcome, clock.now())),
    );
  }

  resume(connection: Connection, secret: string): SessionMemory | undefined {
    return this.#attendance.resume(secret, connection, this.access.ownerOf(connection), this.#clock.now());
  }

  kick(clientId: string): boolean {
    const kicked = this.#attendance.holderOf(clientId);
    kicked?.close('kicked', this.#clock.now());
    return kicked !== undefined;
  }
}
