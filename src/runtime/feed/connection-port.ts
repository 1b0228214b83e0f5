import type { Grant } from '../../access/grant.ts';
import type { CommandOutcome, FeedClient, FeedCommand } from '../../feed/command.ts';
import type { SessionPort } from '../../feed/session.ts';
import type { SessionMemory } from '../../feed/session-memory.ts';
import type { CloseReason } from '../../feed/wire/close-code.ts';
import type { ClientEntry } from '../../feed/wire/server-messages.ts';
import type { Instant } from '../../instant.ts';
import type { Authenticator } from '../auth/authenticator.ts';
import type { Clock } from '../clock.ts';
import type { Attendance } from './attendance.ts';
import { type CommandHandler, carryOut } from './command-desk.ts';
import type { Connection } from './connection.ts';
import { ConnectionAccess, type ConnectionAccessOptions } from './connection-access.ts';
import { idInUse, type Refused } from './turn-away.ts';

/** What the ports of all connections share. */
export interface Reception {
  readonly clock: Clock;
  readonly authenticator: Authenticator;
  readonly authTimeoutMs: number;
  readonly attendance: Attendance;
  readonly commands: CommandHandler | undefined;
  clients(): readonly ClientEntry[];
  letIn(connection: Connection, memory: SessionMemory, owner: string): void;
  refused(address: string, message: string): void;
}

/**
 * What one session and its rights ask of the roster. There are as many of these as connections, so that it is a class:
 * a closure for each of its methods would weigh more than all the rest.
 */
export class ConnectionPort implements SessionPort, ConnectionAccessOptions {
  readonly #reception: Reception;
  readonly #connection: Connection;
  readonly #memory: SessionMemory;
  readonly address: string;
  readonly grant: Grant | undefined;
  readonly access: ConnectionAccess;

  constructor(
    reception: Reception,
    connection: Connection,
    memory: SessionMemory,
    address: string,
    grant: Grant | undefined,
  ) {
    this.#reception = reception;
    this.#connection = connection;
    this.#memory = memory;
    this.address = address;
    this.grant = grant;
    this.access = new ConnectionAccess(this);
  }

  get clock(): Clock {
    return this.#reception.clock;
  }

  get authenticator(): Authenticator {
    return this.#reception.authenticator;
  }

  get authTimeoutMs(): number {
    return this.#reception.authTimeoutMs;
  }

  get clientCount(): number {
    return this.#reception.attendance.size;
  }

  clients(): readonly ClientEntry[] {
    return this.#reception.clients();
  }

  command(
    command: FeedCommand,
    client: FeedClient,
    done: (outcome: CommandOutcome, now: Instant) => void,
  ): void {
    const { clock, commands } = this.#reception;
    void carryOut(command, client, commands, clock).then((outcome) => done(outcome, clock.now()));
  }

  resume(secret: string): SessionMemory | undefined {
    const { attendance, clock } = this.#reception;
    return attendance.resume(secret, this.#connection, this.access.owner, clock.now());
  }

  kick(clientId: string): boolean {
    const kicked = this.#reception.attendance.holderOf(clientId);
    kicked?.close('kicked', this.clock.now());
    return kicked !== undefined;
  }

  traffic(): { readonly sent: number; readonly received: number } {
    return this.#connection.traffic;
  }

  close(reason: CloseReason): void {
    this.#connection.close(reason, this.clock.now());
  }

  letIn(): Refused | undefined {
    const { clientId } = this.#memory;
    if (!this.#reception.attendance.isFree(clientId, this.access.owner)) return idInUse(clientId);
    this.#reception.letIn(this.#connection, this.#memory, this.access.owner);
    return undefined;
  }

  gone(): boolean {
    return this.#connection.closing || this.#reception.attendance.placeOf(this.#connection) === undefined;
  }

  refused(message: string): void {
    this.#reception.refused(this.address, message);
  }
}
