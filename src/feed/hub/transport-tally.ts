import { CLOSE_CODES, type CloseReason } from '../../contract/feed/close-code.ts';
import type { Connection } from './connection.ts';

/** Ways to tell one transport from another in what is measured. */
export type TransportName = 'websocket' | 'json_lines' | 'sse';

/** Endings that are not ours; all others, such as a code that a client made up, are counted together. */
const OTHER_ENDINGS: readonly string[] = ['closed', 'lost', 'refused'];

/** Who came and went over one kind of transport, and what went over its sockets. */
export class TransportTally {
  readonly name: TransportName;
  arrived = 0;
  /** Connections that ended, by a reason of which there are few. */
  readonly endings = new Map<CloseReason | 'closed' | 'lost' | 'refused' | 'other', number>();
  readonly #present = new Set<Connection>();
  #sent = 0;
  #received = 0;

  constructor(name: TransportName) {
    this.name = name;
  }

  /** Whose socket is not closed yet. */
  get connections(): ReadonlySet<Connection> {
    return this.#present;
  }

  get present(): number {
    return this.#present.size;
  }

  /** Bytes over all sockets, of those who are gone too. */
  get traffic(): { readonly sent: number; readonly received: number } {
    let sent = this.#sent;
    let received = this.#received;
    for (const { traffic } of this.#present) {
      sent += traffic.sent;
      received += traffic.received;
    }
    return { sent, received };
  }

  came(connection: Connection): void {
    this.arrived += 1;
    this.#present.add(connection);
  }

  /** Somebody left; false where he is not here, because he did so before, or came over another transport. */
  left(connection: Connection, why: string): boolean {
    if (!this.#present.delete(connection)) return false;
    const { sent, received } = connection.traffic;
    this.#sent += sent;
    this.#received += received;
    const reason = isCounted(why) ? why : 'other';
    this.endings.set(reason, (this.endings.get(reason) ?? 0) + 1);
    return true;
  }
}

function isCounted(why: string): why is CloseReason | 'closed' | 'lost' | 'refused' {
  return OTHER_ENDINGS.includes(why) || Object.hasOwn(CLOSE_CODES, why);
}
