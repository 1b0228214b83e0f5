import type { AlarmEvent } from '../../../devices/core/alarms.ts';
import type { DeclarationDocument } from '../../../devices/core/describe-messages.ts';
import type { LinkState, StateDocument } from '../../../devices/core/state-document.ts';
import type { StatsDocument } from '../../../devices/core/stats.ts';
import {
  anyObject,
  boolean,
  instant,
  integer,
  listOf,
  number,
  objectOf,
  oneOf,
  type Schema,
  string,
} from './schema.ts';

/** What one kind of topic holds, and how it is told. */
export interface TopicSchema {
  readonly name: string;
  /** Levels in braces stand for one level each. */
  readonly address: string;
  readonly summary: string;
  /** A retained document, told by `snapshot` and `update`; or something that happened. */
  readonly kind: 'state' | 'event' | 'broadcast';
  readonly document: Schema;
}

const identity = objectOf<NonNullable<StateDocument['identity']>>({
  required: { appid: string(), imei: string() },
  optional: {},
});
const WHY = { reason: string('A code of docs/errors.md.'), detail: string('For people.') };

const link = objectOf<LinkState>({
  required: {
    status: oneOf(['disabled', 'listening', 'connecting', 'connected', 'backoff', 'failed']),
    transport: oneOf(['tcp', 'serial', 'replay']),
    since: instant(),
    attempt: integer('Openings since the last success.'),
  },
  optional: { address: string(), ...WHY },
});

const state = objectOf<StateDocument & { readonly replay?: true }>({
  required: {
    device: string(),
    status: oneOf(['unknown', 'registering', 'online', 'stale', 'offline', 'away']),
    since: instant(),
    link,
  },
  optional: {
    ...WHY,
    identity,
    registered_as: identity,
    clock: objectOf<NonNullable<StateDocument['clock']>>({
      required: { offset_ms: number(), bound_ms: number(), samples: integer() },
      optional: {},
    }),
    values: anyObject('Decoded values, by message and field.'),
    quality: anyObject('Of each value that is not simply good.'),
    declaration: string('The key of the topic that describes the values: `declarations/<key>`.'),
    warnings: listOf(string('What is odd but no error: `imei_checksum`.')),
    replay: { const: true, description: 'A trace is played, this is no device of now.' },
  },
});

const stats = objectOf<StatsDocument>({
  required: {
    bytes_in: integer(),
    frames_in: integer(),
    frames_out: integer(),
    discarded_bytes: integer('Bytes that belonged to no frame.'),
    invalid: integer('Frames whose content was not as declared.'),
    unknown: integer('Frames with an id that is not declared.'),
    late_replies: integer(),
    unsolicited_replies: integer(),
    error_replies: integer(),
    timeouts: integer(),
    refused_sends: integer(),
    connects: integer('Links that opened.'),
    takeovers: integer(),
  },
  optional: {
    last_frame_at: instant(),
    last_heartbeat_at: instant(),
    round_trip_ms: number('Of the last heartbeat that was out alone.'),
  },
});

const level = oneOf(['good', 'warn', 'alarm']);
const alarm = objectOf<AlarmEvent & { readonly at: number }>({
  required: {
    at: instant(),
    message: string(),
    field: string(),
    level,
    previous: level,
    cleared: boolean(),
    value: number(),
    limit: number(),
    direction: oneOf(['above', 'below']),
  },
  optional: { unit: string(), index: integer() },
});

const bytesAsJson = objectOf<{ readonly $bytes: string; readonly len: number }>({
  required: { $bytes: string('base64'), len: integer() },
  optional: {},
});

const declaration = objectOf<DeclarationDocument & { readonly replay?: true }>({
  required: {
    fields: {
      type: 'object',
      description: 'By message and field, with dots, as in `quality`.',
      additionalProperties: objectOf<{ readonly unit?: string }>({
        required: {},
        optional: { unit: string('As it is declared: `°C`.') },
      }),
    },
  },
  optional: { replay: { const: true, description: 'Of a trace that is played.' } },
});

export const TOPICS: readonly TopicSchema[] = [
  {
    name: 'deviceState',
    address: 'devices/{device}/state',
    summary: 'How a device is: its two statuses, who it says it is, its clock, its values.',
    kind: 'state',
    document: state,
  },
  {
    name: 'deviceStats',
    address: 'devices/{device}/stats',
    summary: 'Counts of a device since the bridge was started; at most once a second.',
    kind: 'state',
    document: stats,
  },
  {
    name: 'deviceMessages',
    address: 'devices/{device}/messages',
    summary: 'Every message of a device, decoded.',
    kind: 'event',
    document: {
      type: 'object',
      required: ['at'],
      properties: {
        at: instant(),
        kind: string(),
        message: string('The name of the message.'),
        error: number('The error code of a reply, as the device sent it.'),
        fields: anyObject('As the message declares them.'),
      },
      additionalProperties: true,
    },
  },
  {
    name: 'deviceAlarms',
    address: 'devices/{device}/alarms',
    summary: 'A value crossed a limit, or came back.',
    kind: 'event',
    document: alarm,
  },
  {
    name: 'deviceBytes',
    address: 'devices/{device}/bytes',
    summary: 'Every chunk as it was read or written; only for patterns that end in `bytes`.',
    kind: 'event',
    document: objectOf<{ readonly at: number; readonly direction: string; readonly bytes: unknown }>({
      required: { at: instant(), direction: oneOf(['in', 'out']), bytes: bytesAsJson },
      optional: {},
    }),
  },
  {
    name: 'declaration',
    address: 'declarations/{key}',
    summary:
      'The fields of declared messages with their units; once for all devices that speak the same ones.',
    kind: 'state',
    document: declaration,
  },
  {
    name: 'bridgeStatus',
    address: 'bridge/status',
    summary: 'The bridge itself: its version, devices by status, listeners, its configuration.',
    kind: 'state',
    document: {
      type: 'object',
      required: ['version', 'started_at', 'devices', 'listeners'],
      properties: {
        version: string(),
        started_at: instant(),
        devices: { type: 'object', additionalProperties: integer(), description: 'Devices by status.' },
        listeners: listOf(anyObject()),
      },
      additionalProperties: true,
    },
  },
  {
    name: 'clients',
    address: 'clients',
    summary: 'Who comes and goes.',
    kind: 'event',
    document: objectOf<{
      readonly event: string;
      readonly id: string;
      readonly address: string;
      readonly reason?: string;
    }>({
      required: { event: oneOf(['joined', 'left']), id: string(), address: string() },
      optional: { reason: string('Why it left.') },
    }),
  },
  {
    name: 'broadcast',
    address: 'broadcast/all',
    summary: 'What clients tell all others; comes to everybody anyway.',
    kind: 'broadcast',
    document: {},
  },
];
