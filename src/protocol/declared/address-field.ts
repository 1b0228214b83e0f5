import type { AddressDeclaration, ByteOrder } from './declaration.ts';
import type { FieldCodec } from './field-codec.ts';
import { type LoadNumber, loaderOf, parseNumberType, type StoreNumber, storerOf } from './number-type.ts';
import { FieldError, shown } from './writing.ts';

/** The name of the address among the members of a message; no declared field can have it. */
export const ADDRESS_MEMBER = '$address';

/** How an address lies in bytes. */
export interface AddressForm {
  readonly bytes: number;
  /** Addresses are 0 up to this. */
  readonly greatest: number;
  /** Negative where the bytes are no address: a half byte above 9. */
  readonly load: LoadNumber;
  readonly store: StoreNumber;
}

/** 14 digits are exact as a number. */
export const MOST_BCD_BYTES = 7;

/** Undefined for a type that is none of an address. */
export function addressForm(
  { type, length, byteOrder: own }: AddressDeclaration,
  byteOrder: ByteOrder,
): AddressForm | undefined {
  const order = own ?? byteOrder;
  if (type === 'bcd') return length === undefined ? undefined : bcdForm(length, order === 'little');
  const number = parseNumberType(type, order);
  if (number === undefined || number.kind === 'float' || number.signed || number.bytes > 6) return undefined;
  return {
    bytes: number.bytes,
    greatest: 2 ** (8 * number.bytes) - 1,
    load: loaderOf(number),
    store: storerOf(number),
  };
}

/** The address that a text or a number means; undefined where no message can carry it, or none can be meant. */
export function parseAddress(
  given: number | string,
  address: AddressDeclaration,
  byteOrder: ByteOrder,
): number | undefined {
  const form = addressForm(address, byteOrder);
  const text = String(given).trim();
  const written = address.type === 'bcd' ? /^\d{1,14}$/ : /^(?:\d{1,15}|0x[0-9a-fA-F]{1,12})$/;
  if (form === undefined || !written.test(text)) return undefined;
  const value = Number(text);
  return value > form.greatest ? undefined : value;
}

function bcdForm(size: number, little: boolean): AddressForm {
  const placeOf = (at: number, index: number): number => (little ? at + size - 1 - index : at + index);
  return {
    bytes: size,
    greatest: 100 ** size - 1,
    load(bytes, at) {
      let value = 0;
      for (let index = 0; index < size; index++) {
        const byte = bytes[placeOf(at, index)] ?? 0;
        if (byte >> 4 > 9 || (byte & 15) > 9) return -1;
        value = value * 100 + (byte >> 4) * 10 + (byte & 15);
      }
      return value;
    },
    store(bytes, at, value) {
      let left = value;
      for (let index = size - 1; index >= 0; index--) {
        const pair = left % 100;
        bytes[placeOf(at, index)] = (Math.floor(pair / 10) << 4) | (pair % 10);
        left = Math.floor(left / 100);
      }
    },
  };
}

/**
 * The address of the device that a message goes to or comes from, kept in a slot. With `own`, it is written, and another
 * one is not accepted; without, any is read and none can be written.
 */
export function addressField(
  { bytes: size, load, store }: AddressForm,
  own: number | undefined,
  slot: number,
): FieldCodec {
  return {
    min: size,
    max: size,
    silent: own === undefined ? 'address' : 'constant',
    read(reading) {
      const at = reading.at;
      if (at + size > reading.end) return reading.short(size);
      const address = load(reading.bytes, at);
      if (address < 0 || (own !== undefined && address !== own)) {
        reading.fail({
          reason: 'bad_constant',
          field: '',
          offset: at - reading.origin,
          expected: own === undefined ? 'an address' : `the address ${own}`,
          seen: address < 0 ? 'no digits' : `${address}`,
        });
        return undefined;
      }
      reading.at = at + size;
      reading.slots[slot] = address;
      return undefined;
    },
    check(reading) {
      const at = reading.at;
      if (!reading.skip(size)) return false;
      const address = load(reading.bytes, at);
      reading.slots[slot] = address;
      return address >= 0 && (own === undefined || address === own);
    },
    write(writing) {
      if (own === undefined) throw new FieldError('the address of the device is not given', shown(own));
      store(writing.bytes, writing.take(size), own);
    },
  };
}
