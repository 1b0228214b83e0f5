import { ANYBODY } from '../../access/index.ts';
import type { Instant } from '../../instant.ts';
import { ParkedSessions, type SessionMemory } from '../core/session-memory.ts';
import type { FeedStore } from '../core/store.ts';
import type { Connection } from './connection.ts';

/** The topic of clients that join and leave. */
const PRESENCE_TOPIC = 'clients';

export interface PresenceOptions {
  readonly store: FeedStore;
  /** How long a session is kept for a connection that resumes it. */
  readonly resumeMs: number;
  /** Whether any subscriber would get an event of this topic. */
  subscribedTo(topic: string): boolean;
}

/** The authorized connections, by client id and by session; and the sessions that wait for a connection. */
export class Presence {
  readonly #options: PresenceOptions;
  readonly #byId = new Map<string, Connection>();
  readonly #bySecret = new Map<string, Connection>();
  readonly #parked: ParkedSessions;
  /** Some client subscribed to the topic; from then on its events are published, so that none is missed on a return. */
  #published = false;

  constructor(options: PresenceOptions) {
    this.#options = options;
    this.#parked = new ParkedSessions(options.resumeMs);
  }

  present(): Iterable<Connection> {
    return this.#byId.values();
  }

  get size(): number {
    return this.#byId.size;
  }

  holderOf(id: string): Connection | undefined {
    return this.#byId.get(id);
  }

  /** Whether no connection has this id, or one with the very grant of `owner`. */
  isFree(id: string, owner: string): boolean {
    const holder = this.#byId.get(id);
    if (holder?.closing !== false) return true;
    return owner !== ANYBODY && holder.session?.memory.owner === owner;
  }

  /** The id must be free; a former connection with it is closed. */
  add(connection: Connection, memory: SessionMemory, now: Instant): void {
    const { clientId: id, secret } = memory;
    const former = this.#byId.get(id);
    if (former !== undefined) {
      this.#publish('left', id, former.address, 'taken_over');
      former.close('taken_over', now);
    }
    this.#byId.set(id, connection);
    this.#bySecret.set(secret, connection);
    this.#publish('joined', id, connection.address);
  }

  /**
   * Moves the session of this secret to this connection, and its client id too where no other connection took it
   * meanwhile. Undefined where this owner has no such session.
   */
  resume(secret: string, connection: Connection, owner: string, now: Instant): SessionMemory | undefined {
    const former = this.#bySecret.get(secret);
    const fresh = connection.session?.memory;
    const held = former?.session?.memory;
    // A kicked connection takes a moment to close.
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
      if (former !== undefined) this.#publish('left', id, former.address, 'taken_over');
      this.#byId.delete(fresh.clientId);
      this.#byId.set(id, connection);
      this.#publish('left', fresh.clientId, address, 'resumed');
      this.#publish('joined', id, address);
    } else memory.clientId = fresh.clientId;
    return memory;
  }

  /** A connection is closed; true where it still held its client id. Its session is kept for a while. */
  leave(connection: Connection, why: string, now: Instant): boolean {
    const { clientId } = connection;
    if (clientId === undefined) return false;
    const wasPresent = this.#byId.get(clientId) === connection;
    if (wasPresent) {
      this.#byId.delete(clientId);
      this.#publish('left', clientId, connection.address, why);
    }
    this.#park(connection, now);
    return wasPresent;
  }

  expire(now: Instant): void {
    this.#parked.expire(now.monoMs);
  }

  #park(connection: Connection, now: Instant): void {
    const memory = connection.session?.memory;
    // A session that was taken over has another connection by now.
    if (memory === undefined || this.#bySecret.get(memory.secret) !== connection) return;
    this.#bySecret.delete(memory.secret);
    if (memory.listener === connection.session) memory.listener = undefined;
    if (connection.closedFor !== 'kicked') this.#parked.park(memory, now.monoMs);
  }

  #publish(event: 'joined' | 'left', id: string, address: string, reason?: string): void {
    this.#published ||= this.#options.subscribedTo(PRESENCE_TOPIC);
    if (!this.#published) return;
    const why = reason === undefined ? {} : { reason };
    this.#options.store.publishEvent(PRESENCE_TOPIC, { event, id, address, ...why });
  }
}
