import type { TraceHead } from '../trace/event.ts';
import { formatMeta } from '../trace/format-trace.ts';
import type { ExportRow } from './export-rows.ts';
import { PcapngWriter } from './pcapng-writer.ts';

const NOTHING = new Uint8Array(0);

/**
 * Writes the rows of a trace as pcapng: a packet for each frame, with its prefix, and an interface for each connection.
 * What is no frame becomes a comment: on its bytes where it has some, else on a packet without any.
 */
export class PcapngExport {
  readonly #writer = new PcapngWriter();
  readonly #interfaces = new Map<string, number>();
  readonly #head: TraceHead;

  constructor(head: TraceHead) {
    this.#head = head;
  }

  begin(): Uint8Array {
    return this.#writer.header('heartwire');
  }

  row(row: ExportRow): readonly Uint8Array[] {
    const { connection, direction, bytes, what, detail = '' } = row;
    const blocks: Uint8Array[] = [];
    let id = this.#interfaces.get(connection);
    if (id === undefined) {
      const added = this.#writer.addInterface(connection, formatMeta(this.#head.meta));
      id = added.id;
      this.#interfaces.set(connection, id);
      blocks.push(added.block);
    }
    const comment = commentOf(row, what, detail);
    blocks.push(
      this.#writer.packet({
        interfaceId: id,
        epochUs: BigInt(this.#head.startMs) * 1_000n + BigInt(row.atUs),
        direction,
        bytes: bytes ?? NOTHING,
        ...(comment === undefined ? {} : { comment }),
      }),
    );
    return blocks;
  }
}

function commentOf({ kind, bytes }: ExportRow, what: string, detail: string): string | undefined {
  if (what === 'discarded' && bytes !== undefined) return `discarded: ${detail}`;
  if (kind === 'invalid') return `invalid: ${detail}`;
  if (bytes !== undefined) return undefined;
  if (what === 'note') return `* ${detail}`;
  if (what === 'expect') return `? ${detail}`;
  return `= ${what} ${detail}`.trimEnd();
}
