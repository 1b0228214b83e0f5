import type { Value, Values } from '../contract/index.ts';
import { HeartwireError } from '../errors.ts';
import {
  type DeclaredMessage,
  type DeclaredProtocol,
  type FieldDeclaration,
  type HelloCodec,
  parseNumberType,
  valueIn,
} from '../protocol/index.ts';
import { identityFor, identityValue } from './device-identity.ts';
import { groupPayloads } from './group-speech.ts';
import { autoFields, madeValues, type ValueSource } from './made-values.ts';
import { ModbusImage } from './modbus-image.ts';
import type { DeviceIdentity } from './random.ts';
import type { ValueModel } from './speech.ts';

/** Fields that are left out, one after the other, of a message that cannot hold them beside others. */
const MOST_LEFT_OUT = 64;

/** The error code of a refusal. */
const REFUSED = 1;

/** When a device speaks, in ms: since it began, and by the wall. */
export interface DeviceTime {
  readonly elapsedMs: number;
  readonly wallMs: number;
}

/** Who a device is, and what it says instead of made-up values. */
export interface DeviceCharacter {
  /** Of which fields that name the device make their values; absent: values like others. */
  readonly identity?: DeviceIdentity | undefined;
  /** What they say instead, as the bridge shows it. */
  readonly name?: string | undefined;
  /** Values of its messages, said in turn; a message that is not among them has made-up ones. */
  readonly said?: ReadonlyMap<string, readonly Values[]> | undefined;
  readonly model?: ValueModel | undefined;
  readonly address?: number | undefined;
}

/** A number that answers repeat, by its name. */
const COUNTED = /(?:^|_)(?:serial|sequence|seq|number|counter)(?:_|$)/;

/** One device that speaks declared messages: what it says, what it answers, what commands have set. Pure. */
export class DeclaredDevice {
  readonly #protocol: DeclaredProtocol;
  readonly #seed: number;
  readonly #character: DeviceCharacter;
  /** Fields that name the device, by their names. */
  readonly #naming: ReadonlySet<string>;
  /** What the platform gave it with its login: a code, a key. */
  readonly #given = new Map<string, Value>();
  readonly #turns = new Map<string, number>();
  #counted = 0;
  readonly #set = new Map<string, Value>();
  readonly #image: ModbusImage | undefined;
  /** It measures a frequency. */
  readonly #mains: boolean;

  /** `protocol` carries the address of the device, where messages have one. */
  constructor(protocol: DeclaredProtocol, seed: number, character: DeviceCharacter = {}) {
    this.#protocol = protocol;
    this.#seed = seed;
    this.#character = character;
    this.#naming = new Set(protocol.declaration.session?.login?.map(({ identity }) => identity));
    this.#mains = protocol.messages.some(({ forms }) =>
      forms.some(({ fields }) => fields.some(({ unit }) => unit === 'Hz')),
    );
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
    return this.#encoded(this.#valuesOf(message, time), (values) => this.#protocol.encode(message, values));
  }

  /** The bytes in front of the frames with which it says who it is; undefined where made-up values cannot fill them. */
  hello(codec: HelloCodec, time: DeviceTime): Uint8Array | undefined {
    const { identity } = codec;
    const values = this.#values('hello', codec.fields, time);
    const naming = 'field' in identity ? new Set([identity.field]) : new Set<string>();
    return this.#encoded(this.#named(values, codec.fields, naming), (fields) => codec.encode(fields));
  }

  /** A login, with the values that it says; undefined where made-up values cannot fill it. */
  sayLogin(
    message: string,
    time: DeviceTime,
  ): { readonly payload: Uint8Array; readonly values: Values } | undefined {
    const fields = this.#protocol.message(message)?.forms[0].fields ?? [];
    const values: Record<string, Value | undefined> = { ...this.#valuesOf(message, time) };
    for (const { name = '', bits, enum: names } of fields) {
      const given = this.#given.get(name);
      const own = this.#naming.has(name) || this.counts(message, fields, name);
      if (given !== undefined && !own && bits === undefined && names === undefined) values[name] = given;
    }
    const payload = this.#encoded(values, (each) => this.#protocol.encode(message, each));
    return payload && { payload, values };
  }

  /** What a platform says with the answer to a login, the device says in its next one: a code with which it authenticates. */
  wasGiven(fields: Values): void {
    for (const [name, value] of Object.entries(fields)) if (value !== undefined) this.#given.set(name, value);
  }

  /** Whether it has values for a message that are not made up. */
  knows(message: string): boolean {
    return this.#character.said?.has(message) === true;
  }

  /** What a message of the device says: values that are known, or made up; who it is; the number of the message. */
  #valuesOf(message: string, time: DeviceTime): Values {
    const { declaration, forms } = this.#protocol.message(message) ?? {};
    const fields = declaration?.columns === 'auto' ? autoFields(declaration) : (forms?.[0].fields ?? []);
    const known = this.#character.said?.get(message);
    const turn = this.#turns.get(message) ?? 0;
    this.#turns.set(message, turn + 1);
    const said = known?.[turn % known.length] ?? this.#values(message, fields, time);
    const values: Record<string, Value | undefined> = { ...this.#named(said, fields, this.#naming) };
    for (const { name = '' } of known === undefined ? [] : fields) {
      const value = this.#modelled(`${message}.${name}`, time);
      if (value !== undefined) values[name] = value;
    }
    for (const { name = '' } of fields) {
      if (!this.counts(message, fields, name)) continue;
      const { modulus = 2 ** 16 } = this.#protocol.sequence ?? {};
      values[name] = this.#counted % modulus;
      this.#counted += 1;
    }
    return values;
  }

  #modelled(path: string, { elapsedMs }: DeviceTime): Value | undefined {
    const { model, address } = this.#character;
    return model?.(path, { elapsedMs, set: this.#set, address });
  }

  #named(values: Values, fields: readonly FieldDeclaration[], naming: ReadonlySet<string>): Values {
    const { identity, name: text } = this.#character;
    if (identity === undefined) return values;
    const named: Record<string, Value | undefined> = { ...values };
    for (const field of fields) {
      if (field.name === undefined || !naming.has(field.name)) continue;
      named[field.name] = identityValue(field, text ?? identityFor(field, identity));
    }
    return named;
  }

  /** Whether a field holds the number of its message: by the sequence, or because the answer repeats it. */
  counts(message: string, fields: readonly FieldDeclaration[], name: string): boolean {
    const { sequence, answers, declaration } = this.#protocol;
    if (sequence?.fieldOf(fields, 'message') === name) return true;
    if (this.#naming.size === 0 || !COUNTED.test(name)) return false;
    const field = fields.find((each) => each.name === name);
    const number = field && parseNumberType(field.type, declaration.byteOrder);
    const plain = number?.kind === 'int' && !number.signed && number.bytes >= 2;
    return plain && field?.scale === undefined && answers.repeats(message, name);
  }

  /**
   * The payload that answers one from the host; undefined where nothing does. With `refuse` it is a refusal, where the
   * messages have one.
   */
  answer(payload: Uint8Array, time: DeviceTime, kind?: string, refuse = false): Uint8Array | undefined {
    if (this.#image !== undefined) {
      const values = (message: string): Uint8Array | undefined => this.#reply(message, undefined, time);
      return this.#image.answer(payload, values);
    }
    const message = this.#protocol.decode(payload, 0, payload.length, 'host', undefined, kind);
    if (message.name !== 'declared' || message.kind === 'reply') return undefined;
    const refusal = refuse ? this.#refusal(message, time) : undefined;
    if (refusal !== undefined) return refusal;
    this.#take(message);
    if (message.kind === 'request') return this.#reply(message.message, message.fields, time);
    return this.#acknowledgement(message, time, false);
  }

  /** The framing of the message by which a rule answers one from the host; undefined where none does. */
  answeredIn(payload: Uint8Array, kind: string | undefined): string | undefined {
    if (kind === undefined) return undefined;
    const asked = this.#protocol.decode(payload, 0, payload.length, 'host', undefined, kind);
    if (asked.name !== 'declared' || asked.kind !== 'notice') return undefined;
    const rule = this.#protocol.answers.acknowledgementOf(asked.message);
    return rule && this.#protocol.kindOf(rule.by);
  }

  /** What a rule answers; with `refuse` its set values are others. */
  #acknowledgement(message: DeclaredMessage, time: DeviceTime, refuse: boolean): Uint8Array | undefined {
    const rule = this.#protocol.answers.acknowledgementOf(message.message);
    if (rule === undefined) return undefined;
    const fields = this.#protocol.message(rule.by)?.forms[0].fields ?? [];
    const values: Record<string, Value | undefined> = { ...this.#valuesOf(rule.by, time) };
    for (const [name, value] of Object.entries(rule.set)) {
      const field = fields.find((each) => each.name === name);
      values[name] = refuse ? this.#other(field, value) : value;
    }
    for (const [name, source] of Object.entries(rule.copy)) {
      const value = message.raw[source] ?? message.fields[source];
      values[name] = value ?? (source === 'id' || source === 'message_id' ? message.id : undefined);
    }
    return this.#encoded(values, (each) => this.#protocol.encode(rule.by, each));
  }

  /** A value that is not this one. */
  #other(field: FieldDeclaration | undefined, value: Value | undefined): Value | undefined {
    const names =
      typeof field?.enum === 'string' ? this.#protocol.declaration.enums[field.enum] : field?.enum;
    if (names !== undefined) return Object.values(names).find((each) => each !== value) ?? value;
    if (typeof value === 'number') return value + 1;
    return typeof value === 'boolean' ? !value : value;
  }

  /** The message, the error code or the acknowledgement with which it refuses a request; undefined where it has none. */
  #refusal(asked: DeclaredMessage, time: DeviceTime): Uint8Array | undefined {
    for (const { name, declaration } of this.#protocol.messages) {
      const request = declaration.rejects?.request;
      if (request !== 'any' && request?.includes(asked.message) !== true) continue;
      return this.#encoded(this.#valuesOf(name, time), (values) => this.#protocol.encode(name, values));
    }
    if (asked.kind === 'notice') return this.#acknowledgement(asked, time, true);
    if (this.#protocol.declaration.error === undefined) return undefined;
    return this.#encoded({}, () => this.#protocol.encodeReply(asked.message, REFUSED));
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

  #values(message: string, fields: readonly FieldDeclaration[], time: DeviceTime): Values {
    const { enums } = this.#protocol.declaration;
    const source: ValueSource = {
      seed: this.#seed,
      enums,
      ...time,
      set: this.#set,
      known: (path) => this.#modelled(path, time),
      mains: this.#mains,
    };
    return madeValues(fields, message, source);
  }

  /** What confirms a command is from now on what the command said. */
  #take({ message, fields }: DeclaredMessage): void {
    const { confirms = {} } = this.#protocol.message(message)?.declaration ?? {};
    for (const [own, shown] of Object.entries(confirms)) {
      const value = valueIn(fields, own);
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
