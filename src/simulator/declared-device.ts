import type { Value, Values } from '../contract/index.ts';
import { HeartwireError } from '../errors.ts';
import type { DeclaredMessage, DeclaredProtocol, FieldDeclaration } from '../protocol/index.ts';
import { groupPayloads } from './group-speech.ts';
import { autoFields, madeValues, type ValueSource } from './made-values.ts';
import { ModbusImage } from './modbus-image.ts';

/** Fields that are left out, one after the other, of a message that cannot hold them beside others. */
const MOST_LEFT_OUT = 64;

/** When a device speaks, in ms: since it began, and by the wall. */
export interface DeviceTime {
  readonly elapsedMs: number;
  readonly wallMs: number;
}

/** One device that speaks declared messages: what it says, what it answers, what commands have set. Pure. */
export class DeclaredDevice {
  readonly #protocol: DeclaredProtocol;
  readonly #seed: number;
  readonly #set = new Map<string, Value>();
  readonly #image: ModbusImage | undefined;

  /** `protocol` carries the address of the device, where messages have one. */
  constructor(protocol: DeclaredProtocol, seed: number) {
    this.#protocol = protocol;
    this.#seed = seed;
    this.#image =
      protocol.declaration.registers === undefined ? undefined : new ModbusImage(protocol.declaration);
  }

  /** The payloads of a message that it sends by itself, those of all parts of a group; none where made-up values cannot fill it. */
  say(message: string, time: DeviceTime): readonly Uint8Array[] {
    const { assemble } = this.#protocol.message(message)?.declaration ?? {};
    if (assemble === undefined) return this.#sayOne(message, time);
    return groupPayloads(assemble, {
      pairs: (part) => this.#pairs(part, message, time),
      whole: (part) => this.#sayOne(part, time),
      with: (part, values) => this.#encoded(values, (fields) => this.#protocol.encode(part, fields)),
      declared: (part) => this.#protocol.message(part)?.declaration,
    });
  }

  /** One payload for each field of a message of keys and values, as lines of text have them. */
  #pairs(part: string, group: string, time: DeviceTime): readonly Uint8Array[] {
    const fields = this.#protocol.message(part)?.forms[0].fields ?? [];
    return Object.entries(this.#values(group, fields, time)).flatMap(([name, value]) => {
      const payload = this.#encoded({ [name]: value }, (given) => this.#protocol.encode(part, given));
      return payload === undefined ? [] : [payload];
    });
  }

  #sayOne(message: string, time: DeviceTime): readonly Uint8Array[] {
    const payload = this.#say(message, time);
    return payload === undefined ? [] : [payload];
  }

  #say(message: string, time: DeviceTime): Uint8Array | undefined {
    const { declaration, forms } = this.#protocol.message(message) ?? {};
    const fields = declaration?.columns === 'auto' ? autoFields(declaration) : (forms?.[0].fields ?? []);
    return this.#encoded(this.#values(message, fields, time), (values) =>
      this.#protocol.encode(message, values),
    );
  }

  /** The payload that answers one from the host; undefined where nothing does. */
  answer(payload: Uint8Array, time: DeviceTime, kind?: string): Uint8Array | undefined {
    if (this.#image !== undefined) {
      const values = (message: string): Uint8Array | undefined => this.#reply(message, undefined, time);
      return this.#image.answer(payload, values);
    }
    const message = this.#protocol.decode(payload, 0, payload.length, 'host', undefined, kind);
    if (message.name !== 'declared') return undefined;
    this.#take(message);
    return message.kind === 'request' ? this.#reply(message.message, message.fields, time) : undefined;
  }

  #reply(message: string, asked: Values | undefined, time: DeviceTime): Uint8Array | undefined {
    const form = this.#protocol.message(message)?.forms[1];
    if (form === undefined) return undefined;
    const values: Record<string, Value | undefined> = { ...this.#values(message, form.fields, time) };
    // What a reply repeats of its request, it repeats.
    for (const { name } of form.fields) {
      const value = name === undefined ? undefined : asked?.[name];
      if (name !== undefined && value !== undefined && Object.hasOwn(values, name)) values[name] = value;
    }
    return this.#encoded(values, (fields) => this.#protocol.encodeReply(message, 0, fields));
  }

  #values(message: string, fields: readonly FieldDeclaration[], { elapsedMs, wallMs }: DeviceTime): Values {
    const { enums } = this.#protocol.declaration;
    const source: ValueSource = { seed: this.#seed, enums, elapsedMs, wallMs, set: this.#set };
    return madeValues(fields, message, source);
  }

  /** What confirms a command is from now on what the command said. */
  #take({ message, fields }: DeclaredMessage): void {
    const { confirms = {} } = this.#protocol.message(message)?.declaration ?? {};
    for (const [own, shown] of Object.entries(confirms)) {
      const value = fields[own];
      if (value !== undefined) this.#set.set(typeof shown === 'string' ? shown : shown.field, value);
    }
  }

  /** Leaves out what is not there beside the other values: which fields these are, their conditions say. */
  #encoded(values: Values, encode: (values: Values) => Uint8Array): Uint8Array | undefined {
    const left: Record<string, Value | undefined> = { ...values };
    for (let turn = 0; turn <= MOST_LEFT_OUT; turn++) {
      try {
        return encode(left);
      } catch (error) {
        if (!(error instanceof HeartwireError)) throw error;
        const [, field = ''] = /^\w+: (\w+)(?:[.[].*)?: is not present/.exec(error.message) ?? [];
        if (!Object.hasOwn(left, field)) return undefined;
        delete left[field];
      }
    }
    return undefined;
  }
}
