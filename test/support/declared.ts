import { MessageCatalog } from '../../src/devices/core/message-catalog.ts';
import {
  DEFAULT_PROTOCOL,
  type MessageDeclaration,
  type ProtocolDeclaration,
} from '../../src/protocol/declared/declaration.ts';
import { DeclaredProtocol } from '../../src/protocol/declared/declared-protocol.ts';
import type { Values } from '../../src/protocol/declared/value.ts';
import type { DeclaredMessage } from '../../src/protocol/message.ts';

/** The messages of an oven: telemetry with limits, a set point that telemetry confirms, a read-out, chunks of files. */
export const OVEN: readonly MessageDeclaration[] = [
  {
    name: 'telemetry',
    id: 0x10,
    from: 'device',
    everyMs: 10_000,
    fields: [
      {
        name: 'temperature',
        type: 'i16',
        scale: 0.01,
        unit: '°C',
        invalid: 0x7fff,
        limits: { warn: [0, 40], alarm: [-10, 60] },
      },
      { name: 'set_point', type: 'u8', unit: '°C' },
      { name: 'channels', type: 'array', count: 'u8', of: { type: 'u8', limits: { alarm: [null, 200] } } },
    ],
  },
  {
    name: 'set',
    id: 0x11,
    from: 'host',
    reply: 'status',
    confirms: { set_point: 'telemetry.set_point' },
    errors: { '-3': 'locked' },
    fields: [{ name: 'set_point', type: 'u8', range: [0, 90] }],
  },
  { name: 'blink', id: 0x12, from: 'host', fields: [] },
  {
    name: 'read',
    id: 0x13,
    from: 'host',
    reply: { fields: [{ name: 'power', type: 'u16', unit: 'W', limits: { warn: [null, 1_000] } }] },
    fields: [{ name: 'unit', type: 'u8' }],
  },
  {
    name: 'report',
    id: 0x14,
    from: 'device',
    reply: 'status',
    fields: [{ name: 'hours', type: 'u32' }],
  },
  {
    name: 'file_chunk',
    id: 0x20,
    from: 'any',
    reply: 'status',
    fields: [
      { name: 'transfer', type: 'u16' },
      { name: 'index', type: 'u32' },
      { name: 'total', type: 'u32' },
      { name: 'data', type: 'bytes', length: 'u16', max: 1_024 },
      { name: 'crc', type: 'crc', algorithm: 'crc-32', covers: ['id', 'data'] },
    ],
  },
];

export function declaredProtocol(
  messages: readonly MessageDeclaration[] = OVEN,
  changes: Partial<ProtocolDeclaration> = {},
): DeclaredProtocol {
  return new DeclaredProtocol({ ...DEFAULT_PROTOCOL, ...changes, messages });
}

export const ovenCatalog = (): MessageCatalog => new MessageCatalog(declaredProtocol());

const content = { name: 'declared', raw: {}, issues: [] } as const;

/** As a decoder gives them. */
export const notice = (message: string, fields: Values): DeclaredMessage => ({
  ...content,
  kind: 'notice',
  message,
  fields,
});
export const asked = (message: string, fields: Values): DeclaredMessage => ({
  ...content,
  kind: 'request',
  message,
  fields,
});
export const answered = (
  message: string,
  error = 0,
  fields: Values = {},
  errorName?: string,
): DeclaredMessage => ({
  ...content,
  kind: 'reply',
  message,
  error,
  ...(errorName === undefined ? {} : { errorName }),
  fields,
});
