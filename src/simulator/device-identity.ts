import type { Value } from '../contract/index.ts';
import {
  bcdSize,
  bytesOfHex,
  bytesValue,
  type FieldDeclaration,
  parseNumberType,
} from '../protocol/index.ts';
import type { DeviceIdentity } from './random.ts';

/** An identity that a field can hold, made of that of the device, as the bridge shows it. */
export function identityFor(field: FieldDeclaration, { appid, imei }: DeviceIdentity): string {
  const { type, content, length, max } = field;
  const digits = (count: number): string => imei.slice(-count).padStart(count, '0');
  switch (type) {
    case 'text':
      if (content === 'uuid') return appid;
      return typeof length === 'number' ? digits(length) : imei.slice(-(max ?? imei.length));
    case 'bytes':
      return digits(2 * (typeof length === 'number' ? length : 8));
    case 'bcd': {
      const shown = digits(bcdSize(field).digits);
      return field.as === 'text' ? shown : String(Number(shown.slice(-15)));
    }
    default: {
      const bits = 8 * Math.min(parseNumberType(type, 'big')?.bytes ?? 4, 6) - 1;
      return String(Number(imei) % (2 ** bits - 1));
    }
  }
}

/** The value with which a field says an identity. */
export function identityValue(field: FieldDeclaration, text: string): Value {
  switch (field.type) {
    case 'text':
      return text;
    case 'bytes':
      return bytesValue(bytesOfHex(`0x${text}`) ?? new TextEncoder().encode(text));
    case 'bcd':
      return field.as === 'text' ? text : Number(text);
    default:
      return Number(text);
  }
}
