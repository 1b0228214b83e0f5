import { ANYBODY } from '../../access/grant.ts';
import type { SessionMemory } from '../../feed/session-memory.ts';
import type { FeedStore } from '../../feed/store.ts';
import type { Instant } from '../../instant.ts';
import type { Connection } from './connection.ts';
import { ParkedSessions } from './parked-sessions.ts';

/** Where it is told who comes and goes. */
const PRESENCE_TOPIC = 'clients';

/** By which id a connection goes, and where it comes from. */
export interface Place {
  readonly id: string;
  readonly address: string;
}

export interface AttendanceOptions {
  readonly store: FeedStore;
  /** For how long a session is kept for a connection that goes on with it. */
  readonly resumeMs: number;
  /** Whether any subscriber would hear an event of this topic. */
  hears(topic: string): boolean;
}

/** Who is here under which client id, and whose session it is. Who was not let in is known, and has neither. */
export class Attendance {
  readonly #options: AttendanceOptions;
  readonly #places = new Map<Connection, Place>();
  readonly #byId = new Map<string, Connection>();
  readonly #bySecret = new Map<string, Connection>();
  readonly #parked: ParkedSessions;
  /** Somebody listened to who comes and goes; from then on it is told, so that nobody who returns has missed any of it. */
  #presenceWanted = false;

  constructor(options: AttendanceOptions) {
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

  placeOf(connection: Connection): Place | undefined {
    return this.#places.get(connection);
  }

  arrive(connection: Connection, place: Place): void {
    this.#places.set(connection, place);
  }

  /** Whether nobody has this id, or somebody with the very token of `owner`. */
  isFree(id: string, owner: string): boolean {
    const holder = this.#byId.get(id);
    if (holder?.closing !== false) return true;
    return owner !== ANYBODY && holder.session?.memory.owner === owner;
  }

  /** The id must be free; who had it is closed. */
  letIn(connection: Connection, memory: SessionMemory, now: Instant): void {
    const place = this.#places.get(connection);
    if (place === undefined) return;
    const { id, address } = place;
    const former = this.#byId.get(id);
    if (former !== undefined) {
      this.#tell('left', { id, address: this.#places.get(former)?.address ?? address }, 'taken_over');
      former.close('taken_over', now);
    }
    this.#byId.set(id, connection);
    this.#bySecret.set(memory.secret, connection);
    this.#tell('joined', place);
  }

  /**
   * The session of this secret moves to this connection, its client id too where nobody else took it meanwhile. There is
   * none for others than its owner.
   */
  resume(secret: string, connection: Connection, owner: string, now: Instant): SessionMemory | undefined {
    const former = this.#bySecret.get(secret);
    const place = this.#places.get(connection);
    const held = former?.session?.memory;
    // Its end takes a moment, in which it is still there.
    if (former?.closedFor === 'kicked') return undefined;
    if (place === undefined || (held !== undefined && held.owner !== owner)) return undefined;
    const memory = held ?? this.#parked.take(secret, owner, now.monoMs);
    if (memory === undefined) return undefined;
    former?.close('taken_over', now);
    const fresh = connection.session?.memory.secret;
    if (fresh !== undefined) this.#bySecret.delete(fresh);
    this.#bySecret.set(secret, connection);
    const holder = this.#byId.get(memory.clientId);
    if (holder === undefined || holder === former) {
      const { id, address } = place;
      const resumed = { id: memory.clientId, address };
      if (former !== undefined) this.#tell('left', resumed, 'taken_over');
      this.#byId.delete(id);
      this.#byId.set(memory.clientId, connection);
      this.#places.set(connection, resumed);
      this.#tell('left', place, 'resumed');
      this.#tell('joined', resumed);
    } else memory.clientId = place.id;
    return memory;
  }

  /** A connection is gone; whether it had been let in, and nobody followed it. Its session is kept for a while. */
  leave(connection: Connection, why: string, now: Instant): boolean {
    const place = this.#places.get(connection);
    if (place === undefined) return false;
    this.#places.delete(connection);
    const wasIn = this.#byId.get(place.id) === connection;
    if (wasIn) {
      this.#byId.delete(place.id);
      this.#tell('left', place, why);
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

  #tell(event: 'joined' | 'left', { id, address }: Place, reason?: string): void {
    this.#presenceWanted ||= this.#options.hears(PRESENCE_TOPIC);
    if (!this.#presenceWanted) return;
    const why = reason === undefined ? {} : { reason };
    this.#options.store.publishEvent(PRESENCE_TOPIC, { event, id, address, ...why });
  }
}
