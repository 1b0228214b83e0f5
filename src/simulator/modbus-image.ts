import type { HeldRegister, ProtocolDeclaration } from '../protocol/index.ts';

type Table = HeldRegister['table'];

const ILLEGAL_FUNCTION = 1;
const ILLEGAL_ADDRESS = 2;
const ILLEGAL_VALUE = 3;

const MOST_READ = { coil: 2000, discrete: 2000, holding: 125, input: 125 } as const;
const READ_FUNCTIONS: Readonly<Record<number, Table>> = {
  1: 'coil',
  2: 'discrete',
  3: 'holding',
  4: 'input',
};
const HEADS: Readonly<Record<Table, string>> = {
  coil: 'read_coils_',
  discrete: 'read_discrete_',
  holding: 'read_holding_',
  input: 'read_input_',
};

/** The payload of the reply to one of the map's own requests, by its name. */
export type ReplyTo = (message: string) => Uint8Array | undefined;

/** The registers of a slave as bytes: any master may read and write any part of them, whatever the map reads together. */
export class ModbusImage {
  /** Bytes in front of the function: the address, and over TCP what stands in front of it. */
  readonly #at: number;
  readonly #blocks: ReadonlyArray<{
    readonly message: string;
    readonly table: Table;
    readonly start: number;
  }>;
  readonly #registers: readonly HeldRegister[];
  /** What was written, by table and address. */
  readonly #written = new Map<string, number>();

  constructor({ address, polls = [], registers = [] }: ProtocolDeclaration) {
    this.#at = (address?.at ?? 0) + 1;
    this.#registers = registers;
    this.#blocks = polls.flatMap(({ message }) => {
      const found = Object.entries(HEADS).find(([, head]) => message.startsWith(head));
      // Its keys are the tables.
      return found === undefined
        ? []
        : [{ message, table: found[0] as Table, start: Number(message.slice(found[1].length)) }];
    });
  }

  /** The reply to a request, or the exception; undefined where a request is too short to be one. */
  answer(request: Uint8Array, replyTo: ReplyTo): Uint8Array | undefined {
    const pdu = request.subarray(this.#at);
    const code = pdu[0];
    if (code === undefined) return undefined;
    const answered = this.#pdu(code, pdu, replyTo);
    const reply = typeof answered === 'number' ? Uint8Array.of(code | 0x80, answered) : answered;
    const head = request.slice(0, this.#at);
    // The length of a frame over TCP is written by its framing.
    return Uint8Array.from([...head, ...reply]);
  }

  #pdu(code: number, pdu: Uint8Array, replyTo: ReplyTo): Uint8Array | number {
    const first = word(pdu, 1);
    const second = word(pdu, 3);
    const table = READ_FUNCTIONS[code];
    if (table !== undefined)
      return pdu.length === 5 ? this.#read(code, table, first, second, replyTo) : ILLEGAL_VALUE;
    switch (code) {
      case 5:
        if (pdu.length !== 5 || (second !== 0 && second !== 0xff00)) return ILLEGAL_VALUE;
        return this.#write('coil', first, [second === 0 ? 0 : 1]) ?? pdu.slice(0, 5);
      case 6:
        return pdu.length === 5
          ? (this.#write('holding', first, [second]) ?? pdu.slice(0, 5))
          : ILLEGAL_VALUE;
      case 15: {
        if (second < 1 || second > 1968 || pdu.length !== 6 + Math.ceil(second / 8)) return ILLEGAL_VALUE;
        const bits = Array.from({ length: second }, (_, i) => ((pdu[6 + (i >> 3)] ?? 0) >> (i & 7)) & 1);
        return this.#write('coil', first, bits) ?? pdu.slice(0, 5);
      }
      case 16: {
        if (second < 1 || second > 123 || pdu.length !== 6 + 2 * second || pdu[5] !== 2 * second)
          return ILLEGAL_VALUE;
        const words = Array.from({ length: second }, (_, i) => word(pdu, 6 + 2 * i));
        return this.#write('holding', first, words) ?? pdu.slice(0, 5);
      }
      default:
        return ILLEGAL_FUNCTION;
    }
  }

  #read(code: number, table: Table, start: number, count: number, replyTo: ReplyTo): Uint8Array | number {
    if (count < 1 || count > MOST_READ[table]) return ILLEGAL_VALUE;
    const bits = table === 'coil' || table === 'discrete';
    const image = this.#imageOf(table, bits, start, start + count, replyTo);
    const data = new Uint8Array(bits ? Math.ceil(count / 8) : 2 * count);
    for (let index = 0; index < count; index++) {
      const value = image.get(start + index);
      if (value === undefined) return ILLEGAL_ADDRESS;
      if (bits) data[index >> 3] = (data[index >> 3] ?? 0) | (value << (index & 7));
      else data.set([value >> 8, value & 0xff], 2 * index);
    }
    return Uint8Array.from([code, data.length, ...data]);
  }

  /** The values of the blocks that a request touches, under what was written. */
  #imageOf(
    table: Table,
    bits: boolean,
    from: number,
    to: number,
    replyTo: ReplyTo,
  ): ReadonlyMap<number, number> {
    const image = new Map<number, number>();
    for (const { message, table: own, start } of this.#blocks) {
      if (own !== table || start >= to) continue;
      const data = replyTo(message)?.subarray(this.#at + 2) ?? new Uint8Array(0);
      const count = bits ? 8 * data.length : data.length / 2;
      if (start + count <= from) continue;
      for (let index = 0; index < count; index++) {
        image.set(start + index, bits ? ((data[index >> 3] ?? 0) >> (index & 7)) & 1 : word(data, 2 * index));
      }
    }
    for (let address = from; address < to; address++) {
      const value = this.#written.get(`${table} ${address}`);
      if (value !== undefined) image.set(address, value);
    }
    return image;
  }

  /** An exception, or nothing where all of it was written. */
  #write(table: Table, start: number, values: readonly number[]): number | undefined {
    for (let index = 0; index < values.length; index++) {
      const address = start + index;
      const register = this.#registers.find(
        (each) => each.table === table && address >= each.address && address < each.address + each.size,
      );
      if (register?.writable !== true) return ILLEGAL_ADDRESS;
      const { range, type, scale: declared, offset = 0 } = register.field;
      const scale = typeof declared === 'number' ? declared : 1;
      const [least, greatest] = range ?? [null, null];
      const raw = values[index] ?? 0;
      const value = (type.startsWith('i') && raw > 0x7fff ? raw - 0x10000 : raw) * scale + offset;
      const single = register.size === 1 && table === 'holding';
      if (single && ((least !== null && value < least) || (greatest !== null && value > greatest)))
        return ILLEGAL_VALUE;
    }
    for (const [index, value] of values.entries()) this.#written.set(`${table} ${start + index}`, value);
    return undefined;
  }
}

const word = (bytes: Uint8Array, at: number): number => ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
