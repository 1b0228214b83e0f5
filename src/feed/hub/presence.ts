import { ANYBODY } from '../../access/grant.ts';
import type { Instant } from '../../instant.ts';
import type { SessionMemory } from '../core/session-memory.ts';
import type { FeedStore } from '../core/store.ts';
import type { Connection } from './connection.ts';
import { ParkedSessions } from './parked-sessions.ts';

/** Where it is told who comes and goes. */
const PRESENCE_TOPIC = 'clients';

export interface PresenceOptions {
  readonly store: FeedStore;
  /** For how long a session is kept for a connection that goes on with it. */
  readonly resumeMs: number;
  /** Whether any subscriber would hear an event of this topic. */
  hears(topic: string): boolean;
}

/** Who was let in: under which client id, and whose session it is. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #byId = new Map<string, Connection>();
  readonly #bySecret = new Map<string, Connection>();
  readonly #parked: ParkedSessions;
  /** Somebody listened to who comes and goes; from then on it is told, so that nobody who returns has missed any of it. */
  #presenceWanted = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#parked = new ParkedSessions(options.resumeMs);
  }

  /** Those who were let in. */
  present(): Iterable<Connection> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }

  holderOf(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  /** Whether nobody has this id, or somebody with the very token of `owner`. */
  isFree(id: string, owner: string): boolean {
    const holder = this.#byId.get(id);
    if (holder?.closing !== false) return true;
    return owner !== ANYBODY && holder.session?.memory.owner === owner;
  }

  /** The id must be free; who had it is closed. */
  letIn(connection: Connection, memory: SessionMemory, now: Instant): void {
    const { clientId: id, secret } = memory;
    const former = this.#byId.get(id);
    if (former !== undefined) {
      this.#tell('left', id, former.address, 'taken_over');
      former.close('taken_over', now);
    }
    this.#byId.set(id, connection);
    this.#bySecret.set(secret, connection);
    this.#tell('joined', id, connection.address);
  }

  /**
   * The session of this secret moves to this connection, its client id too where nobody else took it meanwhile. There is
   * none for others than its owner.
   */
  resume(secret: string, connection: Connection, owner: string, now: Instant): SessionMemory | undefined {
    const former = this.#bySecret.get(secret);
    const fresh = connection.session?.memory;
    const held = former?.session?.memory;
    // Its end takes a moment, in which it is still there.
    if (former?.closedFor === 'kicked') return undefined;
    if (fresh === undefined || (held !== undefined && held.owner !== owner)) return undefined;
    const memory = held ?? this.#parked.take(secret, owner, now.monoMs);
    if (memory === undefined) return undefined;
    former?.close('taken_over', now);
    this.#bySecret.delete(fresh.secret);
    this.#bySecret.set(secret, connection);
    const holder = this.#byId.get(memory.clientId);
    if (holder === undefined || holder === former) {
      const id = memory.clientId;
      const { address } = connection;
      if (former !== undefined) this.#tell('left', id, former.address, 'taken_over');
      this.#byId.delete(fresh.clientId);
      this.#byId.set(id, connection);
      this.#tell('left', fresh.clientId, address, 'resumed');
      this.#tell('joined', id, address);
    } else memory.clientId = fresh.clientId;
    return memory;
  }

  /** A connection is gone; whether it had been let in, and nobody followed it. Its session is kept for a while. */
  leave(connection: Connection, why: string, now: Instant): boolean {
    const { clientId } = connection;
    if (clientId === undefined) return false;
    const wasIn = this.#byId.get(clientId) === connection;
    if (wasIn) {
      this.#byId.delete(clientId);
      this.#tell('left', clientId, connection.address, why);
    }
    this.#park(connection, now);
    return wasIn;
  }

  expire(now: Instant): void {
    this.#parked.expire(now.monoMs);
  }

  #park(connection: Connection, now: Instant): void {
    const memory = connection.session?.memory;
    // A session that was taken over belongs to another connection by now.
    if (memory === undefined || this.#bySecret.get(memory.secret) !== connection) return;
    this.#bySecret.delete(memory.secret);
    if (memory.listener === connection.session) memory.listener = undefined;
    if (connection.closedFor !== 'kicked') this.#parked.park(memory, now.monoMs);
  }

  #tell(event: 'joined' | 'left', id: string, address: string, reason?: string): void {
    this.#presenceWanted ||= this.#options.hears(PRESENCE_TOPIC);
    if (!this.#presenceWanted) return;
    const why = reason === undefined ? {} : { reason };
    this.#options.store.publishEvent(PRESENCE_TOPIC, { event, id, address, ...why });
  }
}
