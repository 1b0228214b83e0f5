import type { z } from 'zod';
import type { ByteOrder } from '../../protocol/framing/byte-order.ts';
import { checkFraming } from '../../protocol/framing/check-framing.ts';
import {
  FRAMING_TYPES,
  type FramingDeclaration,
  type FramingType,
  type LengthType,
} from '../../protocol/framing/declaration.ts';
import { explainIssues } from '../explain-issues.ts';
import { badType } from '../field.ts';
import type { Finding, Path } from '../problem.ts';
import { framingShapes, framingTypeField } from './framing-shape.ts';

export interface ReadFraming {
  /** Absent where something is wrong. */
  readonly framing?: FramingDeclaration;
  /** Everything that is wrong, each with its path below `path`. */
  readonly findings: readonly Finding[];
}

type Given<T extends FramingType> = z.infer<(typeof framingShapes)[T]>;
type GivenBytes = string | number | readonly number[];

/** Reads `protocol.framing` as it stands in a `messages.yaml`. `byteOrder` is that of the protocol. */
export function readFraming(value: unknown, byteOrder: ByteOrder, path: Path = []): ReadFraming {
  const type = typeOf(value);
  if (type === undefined) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      const fix = 'Write `type:` and its other keys below it, for example { type: slip }.';
      return { findings: [{ ...badType('a group of keys', value, fix), path }] };
    }
    const parsed = framingTypeField.safeParse('type' in value ? value.type : undefined);
    const findings = explainIssues(framingTypeField, parsed.error?.issues ?? []);
    return { findings: findings.map((finding) => ({ ...finding, path: [...path, 'type'] })) };
  }
  const given = parse(type, value);
  if ('findings' in given) {
    return { findings: given.findings.map((finding) => ({ ...finding, path: [...path, ...finding.path] })) };
  }
  const framing = declare(given.data, byteOrder);
  const problems = checkFraming(framing);
  if (problems.length === 0) return { framing, findings: [] };
  return {
    findings: problems.map(({ path: below, message, fix }) => ({
      code: 'config_bad_value',
      path: [...path, ...below],
      message: `${message.charAt(0).toUpperCase()}${message.slice(1)}.`,
      fix,
    })),
  };
}

function typeOf(value: unknown): FramingType | undefined {
  if (typeof value !== 'object' || value === null || !('type' in value)) return undefined;
  return FRAMING_TYPES.find((type) => type === value.type);
}

type AnyGiven = { [T in FramingType]: Given<T> }[FramingType];

function parse(type: FramingType, value: unknown): { data: AnyGiven } | { findings: readonly Finding[] } {
  const shape = framingShapes[type];
  const parsed = shape.safeParse(value, { reportInput: true });
  return parsed.success ? { data: parsed.data } : { findings: explainIssues(shape, parsed.error.issues) };
}

function declare(given: AnyGiven, byteOrder: ByteOrder): FramingDeclaration {
  switch (given.type) {
    case 'length':
      return { type: 'length', ...lengthField(given, byteOrder), ...tail(given, byteOrder) };
    case 'sync':
      return {
        type: 'sync',
        sync: bytesOf(given.sync),
        ...lengthField(given, byteOrder),
        ...tail(given, byteOrder),
      };
    case 'fixed':
      return {
        type: 'fixed',
        length: given.length,
        sync: optional(given.sync, bytesOf),
        ...tail(given, byteOrder),
      };
    case 'slip':
    case 'cobs':
      return {
        type: given.type,
        maxFrame: given.max_frame,
        first: given.first,
        checksum: checksumOf(given.checksum, byteOrder),
      };
    case 'delimiter':
      return {
        type: 'delimiter',
        delimiter: bytesOf(given.delimiter),
        start: optional(given.start, bytesOf),
        escape: given.escape,
        maxFrame: given.max_frame,
        first: given.first,
        checksum: checksumOf(given.checksum, byteOrder),
      };
    case 'gap':
      return { type: 'gap', maxFrame: given.max_frame, checksum: checksumOf(given.checksum, byteOrder) };
  }
}

function lengthField(given: Given<'length'> | Given<'sync'>, byteOrder: ByteOrder) {
  return {
    length: lengthTypeOf(given.length, byteOrder),
    at: given.at,
    adjust: given.adjust,
    maxFrame: given.max_frame,
  };
}

function lengthTypeOf(word: Given<'length'>['length'], byteOrder: ByteOrder): LengthType {
  switch (word) {
    case 'u16':
    case 'u24':
    case 'u32':
      return byteOrder === 'big' ? `${word}be` : `${word}le`;
    case 'u8':
    case 'u16be':
    case 'u16le':
    case 'u24be':
    case 'u24le':
    case 'u32be':
    case 'u32le':
      return word;
  }
}

function tail(given: Given<'length'> | Given<'sync'> | Given<'fixed'>, byteOrder: ByteOrder) {
  return {
    trailer: optional(given.trailer, bytesOf),
    checksum: optional(given.checksum, (checksum) => ({
      ...common(checksum, byteOrder),
      covers: checksum.covers,
    })),
  };
}

function checksumOf(given: Given<'slip'>['checksum'], byteOrder: ByteOrder) {
  return optional(given, (checksum) => common(checksum, byteOrder));
}

function common(given: NonNullable<Given<'slip'>['checksum']>, byteOrder: ByteOrder) {
  return {
    algorithm: given.algorithm,
    order: given.order ?? byteOrder,
    encoding: given.encoding,
    separator: optional(given.separator, bytesOf),
  };
}

function optional<T, R>(value: T | undefined, convert: (value: T) => R): R | undefined {
  return value === undefined ? undefined : convert(value);
}

function bytesOf(given: GivenBytes): Uint8Array {
  if (typeof given === 'string') return new TextEncoder().encode(given);
  return Uint8Array.from(typeof given === 'number' ? [given] : given);
}
