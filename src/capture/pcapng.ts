import { formatMeta, type TraceHead } from '../trace/index.ts';
import type { ExportRow } from './export-rows.ts';

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

/** Link type for private use; Wireshark shows it with the dissector that `heartwire dissector` writes. */
export const LINKTYPE_USER0 = 147;

/** One packet of a capture. */
export interface CapturedPacket {
  /** Index of its interface, in the order of `addInterface`. */
  readonly interfaceId: number;
  /** Microseconds since the epoch. */
  readonly epochUs: bigint;
  readonly direction: 'in' | 'out' | undefined;
  readonly bytes: Uint8Array;
  /** How long it was, where not all of it is kept. */
  readonly originalLength?: number;
  readonly comment?: string;
}

const encoder = new TextEncoder();

/** Writes pcapng block by block, little-endian; what is returned goes into the file in the order of the calls. */
class PcapngWriter {
  #interfaces = 0;

  /** The section header: the first block of every file. */
  header(application: string, comment?: string): Uint8Array {
    const head = new Uint8Array(16);
    const view = new DataView(head.buffer);
    view.setUint32(0, 0x1a2b3c4d, true);
    view.setUint16(4, 1, true);
    view.setBigInt64(8, -1n, true);
    return block(0x0a0d0d0a, [
      head,
      ...options([...(comment === undefined ? [] : [text(1, comment)]), text(4, application)]),
    ]);
  }

  /** One interface for each connection; times are in microseconds. */
  addInterface(name: string, description: string): { readonly id: number; readonly block: Uint8Array } {
    const head = new Uint8Array(8);
    new DataView(head.buffer).setUint16(0, LINKTYPE_USER0, true);
    const resolution = { code: 9, value: Uint8Array.of(6) };
    const id = this.#interfaces++;
    return { id, block: block(1, [head, ...options([text(2, name), text(3, description), resolution])]) };
  }

  packet(packet: CapturedPacket): Uint8Array {
    const { interfaceId, epochUs, direction, bytes, originalLength = bytes.length, comment } = packet;
    const head = new Uint8Array(20);
    const view = new DataView(head.buffer);
    view.setUint32(0, interfaceId, true);
    view.setUint32(4, Number(epochUs >> 32n), true);
    view.setUint32(8, Number(epochUs & 0xffffffffn), true);
    view.setUint32(12, bytes.length, true);
    view.setUint32(16, originalLength, true);
    const flags = new Uint8Array(4);
    new DataView(flags.buffer).setUint32(0, direction === 'in' ? 1 : 2, true);
    const of = [
      ...(comment === undefined ? [] : [text(1, comment)]),
      ...(direction === undefined ? [] : [{ code: 2, value: flags }]),
    ];
    return block(6, [head, padded(bytes), ...options(of)]);
  }
}

interface Option {
  readonly code: number;
  readonly value: Uint8Array;
}

const text = (code: number, value: string): Option => ({
  code,
  value: encoder.encode(value).slice(0, 65_535),
});

function options(list: readonly Option[]): Uint8Array[] {
  if (list.length === 0) return [];
  const parts = list.flatMap(({ code, value }) => {
    const head = new Uint8Array(4);
    const view = new DataView(head.buffer);
    view.setUint16(0, code, true);
    view.setUint16(2, value.length, true);
    return [head, padded(value)];
  });
  return [...parts, new Uint8Array(4)];
}

function padded(bytes: Uint8Array): Uint8Array {
  if (bytes.length % 4 === 0) return bytes;
  const whole = new Uint8Array(Math.ceil(bytes.length / 4) * 4);
  whole.set(bytes);
  return whole;
}

function block(type: number, parts: readonly Uint8Array[]): Uint8Array {
  const length = 12 + parts.reduce((sum, part) => sum + part.length, 0);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, type, true);
  view.setUint32(4, length, true);
  let at = 8;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  view.setUint32(at, length, true);
  return bytes;
}
