import { CLOSE_CODES, type CloseReason } from '../../feed/wire/close-code.ts';

/** Ways to tell one transport from another in what is measured. */
export type TransportName = 'websocket' | 'json_lines' | 'sse';

interface Counted {
  readonly traffic: { readonly sent: number; readonly received: number };
}

/** Endings that are not ours; all others, such as a code that a client made up, are counted together. */
const OTHER_ENDINGS: readonly string[] = ['closed', 'lost', 'refused'];

/** Who came and went over one kind of transport, and what went over its sockets. */
export class TransportTally {
  readonly name: TransportName;
  arrived = 0;
  /** Connections that ended, by a reason of which there are few. */
  readonly endings = new Map<CloseReason | 'closed' | 'lost' | 'refused' | 'other', number>();
  readonly #present = new Set<Counted>();
  #sent = 0;
  #received = 0;

  constructor(name: TransportName) {
    this.name = name;
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

  came(connection: Counted): void {
    this.arrived += 1;
    this.#present.add(connection);
  }

  /** Somebody left; who came over another transport is not counted here. */
  left(connection: Counted, why: string): void {
    if (!this.#present.delete(connection)) return;
    const { sent, received } = connection.traffic;
    this.#sent += sent;
    this.#received += received;
    const reason = isCounted(why) ? why : 'other';
    this.endings.set(reason, (this.endings.get(reason) ?? 0) + 1);
  }
}

function isCounted(why: string): why is CloseReason | 'closed' | 'lost' | 'refused' {
  return OTHER_ENDINGS.includes(why) || Object.hasOwn(CLOSE_CODES, why);
}
