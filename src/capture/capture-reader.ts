import { type ErrorCode, HeartwireError } from '../errors.ts';

/** A packet as a capture holds it. */
export interface CaptureFrame {
  /** Which interface it came by, in the order of the file. */
  readonly interfaceId: number;
  readonly interfaceName: string;
  readonly interfaceDescription: string;
  readonly linkType: number;
  readonly epochUs: bigint;
  readonly direction: 'in' | 'out' | undefined;
  readonly bytes: Uint8Array;
  readonly originalLength: number;
  readonly comments: readonly string[];
}

interface Interface {
  readonly name: string;
  readonly description: string;
  readonly linkType: number;
  /** Units of its time stamps in a second. */
  readonly perSecond: bigint;
  readonly offsetS: bigint;
}

const MOST_BLOCK_BYTES = 64 * 1024 * 1024;
const CODE: ErrorCode = 'capture_invalid';

/** Reads pcapng and the older pcap, whatever their byte order. Throws `capture_invalid` with the offset. */
export function* readCapture(bytes: Uint8Array, file: string): Generator<CaptureFrame> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 24) throw invalid(file, 0, 'The file is too short to be a capture.');
  const magic = view.getUint32(0, false);
  switch (magic) {
    case 0x0a0d0d0a:
      return yield* readPcapng(bytes, view, file);
    case 0xa1b2c3d4:
      return yield* readPcap(bytes, view, file, false, 1_000n);
    case 0xd4c3b2a1:
      return yield* readPcap(bytes, view, file, true, 1_000n);
    case 0xa1b23c4d:
      return yield* readPcap(bytes, view, file, false, 1n);
    case 0x4d3cb2a1:
      return yield* readPcap(bytes, view, file, true, 1n);
    default:
      throw invalid(file, 0, 'The file is neither pcapng nor pcap.');
  }
}

function* readPcap(
  bytes: Uint8Array,
  view: DataView,
  file: string,
  little: boolean,
  nsPerUnit: bigint,
): Generator<CaptureFrame> {
  const linkType = view.getUint32(20, little) & 0x0fffffff;
  for (let at = 24; at < bytes.length; ) {
    if (at + 16 > bytes.length) throw cutShort(file, at, 'packet');
    const captured = view.getUint32(at + 8, little);
    const end = at + 16 + captured;
    if (captured > MOST_BLOCK_BYTES) throw invalid(file, at, 'A packet is longer than any can be.');
    if (end > bytes.length) throw cutShort(file, at, 'packet');
    const seconds = BigInt(view.getUint32(at, little));
    const fraction = BigInt(view.getUint32(at + 4, little));
    yield {
      interfaceId: 0,
      interfaceName: '',
      interfaceDescription: '',
      linkType,
      epochUs: seconds * 1_000_000n + (fraction * nsPerUnit) / 1_000n,
      direction: undefined,
      bytes: bytes.subarray(at + 16, end),
      originalLength: view.getUint32(at + 12, little),
      comments: [],
    };
    at = end;
  }
}

function* readPcapng(bytes: Uint8Array, view: DataView, file: string): Generator<CaptureFrame> {
  let little = true;
  let interfaces: Interface[] = [];
  let firstInterface = 0;
  for (let at = 0; at < bytes.length; ) {
    if (at + 12 > bytes.length) throw cutShort(file, at, 'block');
    const type = view.getUint32(at, little);
    if (type === 0x0a0d0d0a) {
      const order = view.getUint32(at + 8, true);
      if (order !== 0x1a2b3c4d && order !== 0x4d3c2b1a)
        throw invalid(file, at, 'A section says no byte order.');
      little = order === 0x1a2b3c4d;
      firstInterface += interfaces.length;
      interfaces = [];
    }
    const length = view.getUint32(at + 4, little);
    if (length < 12 || length % 4 !== 0 || length > MOST_BLOCK_BYTES) {
      throw invalid(file, at, 'A block has an impossible length.');
    }
    if (at + length > bytes.length) throw cutShort(file, at, 'block');
    if (view.getUint32(at + length - 4, little) !== length) {
      throw invalid(file, at, 'The two lengths of a block differ.');
    }
    const body = new Body(bytes.subarray(at + 8, at + length - 4), little, file, at);
    if (type === 1) interfaces.push(readInterface(body));
    if (type === 6) yield readPacket(body, interfaces, firstInterface);
    if (type === 3) throw invalid(file, at, 'Packets without times cannot be imported.');
    at += length;
  }
}

function readInterface(body: Body): Interface {
  const linkType = body.u16(0);
  let name = '';
  let description = '';
  let perSecond = 1_000_000n;
  let offsetS = 0n;
  for (const { code, value } of body.options(8)) {
    if (code === 2) name = new TextDecoder().decode(value);
    if (code === 3) description = new TextDecoder().decode(value);
    const [resolution = 6] = value;
    // Powers beyond these would be no times of this world.
    if (code === 9 && (resolution & 0x7f) <= 63) {
      perSecond = resolution & 0x80 ? 1n << BigInt(resolution & 0x7f) : 10n ** BigInt(resolution);
    }
    if (code === 14 && value.length === 8) offsetS = body.i64(value);
  }
  return { name, description, linkType, perSecond, offsetS };
}

function readPacket(body: Body, interfaces: readonly Interface[], firstInterface: number): CaptureFrame {
  const id = body.u32(0);
  const from = interfaces[id];
  if (from === undefined) throw body.invalid(`A packet came by interface ${id}, which is not described.`);
  const stamp = (BigInt(body.u32(4)) << 32n) | BigInt(body.u32(8));
  const captured = body.u32(12);
  const bytes = body.slice(20, captured);
  let direction: CaptureFrame['direction'];
  const comments: string[] = [];
  for (const { code, value } of body.options(20 + Math.ceil(captured / 4) * 4)) {
    if (code === 1) comments.push(new TextDecoder().decode(value));
    if (code !== 2 || value.length !== 4) continue;
    const flags = body.u32Of(value) & 3;
    direction = flags === 1 ? 'in' : flags === 2 ? 'out' : undefined;
  }
  const { name, description, linkType, perSecond, offsetS } = from;
  return {
    interfaceId: firstInterface + id,
    interfaceName: name,
    interfaceDescription: description,
    linkType,
    epochUs: (stamp * 1_000_000n) / perSecond + offsetS * 1_000_000n,
    direction,
    bytes,
    originalLength: body.u32(16),
    comments,
  };
}

/** The inside of a block, read within its bounds. */
class Body {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #little: boolean;
  readonly #file: string;
  readonly #at: number;

  constructor(bytes: Uint8Array, little: boolean, file: string, at: number) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#little = little;
    this.#file = file;
    this.#at = at;
  }

  u16(at: number): number {
    this.#need(at, 2);
    return this.#view.getUint16(at, this.#little);
  }

  u32(at: number): number {
    this.#need(at, 4);
    return this.#view.getUint32(at, this.#little);
  }

  u32Of(value: Uint8Array): number {
    return new DataView(value.buffer, value.byteOffset, 4).getUint32(0, this.#little);
  }

  i64(value: Uint8Array): bigint {
    return new DataView(value.buffer, value.byteOffset, 8).getBigInt64(0, this.#little);
  }

  slice(at: number, length: number): Uint8Array {
    this.#need(at, length);
    return this.#bytes.subarray(at, at + length);
  }

  *options(from: number): Generator<{ readonly code: number; readonly value: Uint8Array }> {
    for (let at = from; at + 4 <= this.#bytes.length; ) {
      const [code, length] = [this.u16(at), this.u16(at + 2)];
      if (code === 0) return;
      yield { code, value: this.slice(at + 4, length) };
      at += 4 + Math.ceil(length / 4) * 4;
    }
  }

  invalid(problem: string): HeartwireError {
    return invalid(this.#file, this.#at, problem);
  }

  #need(at: number, length: number): void {
    if (at + length > this.#bytes.length) throw this.invalid('A block is shorter than what it says to hold.');
  }
}

function invalid(
  file: string,
  offset: number,
  problem: string,
  fix = 'Capture again, with tcpdump -w or Wireshark.',
): HeartwireError {
  return new HeartwireError(CODE, `${file}: at byte ${offset}: ${problem}`, { seen: String(offset), fix });
}

const cutShort = (file: string, offset: number, what: 'packet' | 'block') =>
  invalid(
    file,
    offset,
    `The capture ends in the middle of a ${what}.`,
    'End the capture before it is imported; of one that was cut short, `tshark -r FILE -w WHOLE` keeps what is whole.',
  );
