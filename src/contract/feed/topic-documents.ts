import { z } from 'zod';
import { TRANSPORTS } from '../transport.ts';
import { DEVICE_STATUSES, LINK_STATUSES } from '../wire/index.ts';
import { count, instant, jsonObject, list, oneOf, why } from './field-types.ts';
import { incidents } from './incident-documents.ts';
import { jsonSchemaOf, type Schema } from './json-schema.ts';

const identity = z
  .object({
    appid: z.string().exactOptional(),
    imei: z.string().exactOptional(),
    identity: z
      .string()
      .meta({ description: 'What the login of its own messages says, as text.' })
      .exactOptional(),
  })
  .readonly();

/** Of a value that is not simply good. */
const QUALITIES = ['warn', 'alarm', 'stale', 'invalid'] as const;
export type Quality = (typeof QUALITIES)[number];

const link = z.object({
  status: oneOf(LINK_STATUSES),
  transport: z.enum(TRANSPORTS),
  bus: z.string().meta({ description: 'The bus whose link it is: `buses/<id>/state`.' }).exactOptional(),
  address: z.string().exactOptional(),
  since: instant(),
  attempt: count('Openings since the last success.'),
  retry_at: instant('When it is opened again; with `backoff`.').exactOptional(),
  ...why,
});

/** Where other programs may use a port. */
const shared = z
  .array(
    z
      .object({
        at: z.string().meta({ description: '`pty /run/heartwire/psu-1`, `tcp 127.0.0.1:4001`.' }),
        read_only: z.literal(true).exactOptional(),
        programs: list(z.string(), 'Those that use it, as far as the system tells.'),
        ...why,
      })
      .readonly(),
  )
  .readonly()
  .meta({ description: 'Where other programs may use the port (`expose`).' });
const label = z.string().meta({ description: 'What people see in place of the name.' }).exactOptional();
const group = z.string().meta({ description: 'A heading under which people see it.' }).exactOptional();

const state = z.object({
  device: z.string(),
  label,
  group,
  status: oneOf(DEVICE_STATUSES),
  since: instant(),
  ...why,
  link: link.readonly(),
  /** The identity that the peer names. */
  identity: identity.exactOptional(),
  /** The identity that we named. */
  registered_as: identity.exactOptional(),
  clock: z
    .object({ offset_ms: z.number(), bound_ms: z.number(), samples: count() })
    .readonly()
    .exactOptional(),
  values: jsonObject('Decoded values, by message and field.').exactOptional(),
  quality: z
    .record(z.string(), z.enum(QUALITIES))
    .readonly()
    .meta({ description: 'Of each value that is not simply good.' })
    .exactOptional(),
  declaration: z
    .string()
    .meta({ description: 'The key of the topic that describes the values: `declarations/<key>`.' })
    .exactOptional(),
  shared: shared.exactOptional(),
  warnings: list(z.string(), 'What is odd but no error: `imei_checksum`.').exactOptional(),
  replay: z
    .literal(true)
    .meta({ description: 'A trace is played, this is no device of now.' })
    .exactOptional(),
});

const bus = z.object({
  bus: z.string(),
  /** Of the line: the devices on it have statuses of their own. */
  link: link.readonly(),
  devices: list(z.string(), 'The devices on it, by id.'),
  passive: z
    .literal(true)
    .meta({ description: 'Another host asks on the line; nothing is sent.' })
    .exactOptional(),
  wrong_device: count('Frames of a device that was not asked.'),
  shared: shared.exactOptional(),
  replay: z.literal(true).meta({ description: 'Of a trace that is played.' }).exactOptional(),
});

/** How far a value is outside its limits. */
export const LEVELS = ['good', 'warn', 'alarm'] as const;
export type Level = (typeof LEVELS)[number];
export type Direction = 'above' | 'below';

const stats = z.object({
  bytes_in: count(),
  frames_in: count(),
  frames_out: count(),
  discarded_bytes: count('Bytes that belonged to no frame.'),
  invalid: count('Frames whose content was not as declared.'),
  unknown: count('Frames with an id that is not declared.'),
  late_replies: count(),
  unsolicited_replies: count(),
  error_replies: count(),
  timeouts: count(),
  refused_sends: count(),
  connects: count('Links that opened.'),
  takeovers: count(),
  last_frame_at: instant().exactOptional(),
  last_heartbeat_at: instant().exactOptional(),
  round_trip_ms: z
    .number()
    .meta({ description: 'Of the last heartbeat that was out alone.' })
    .exactOptional(),
});

const alarm = z.object({
  at: instant(),
  message: z.string(),
  field: z.string(),
  level: z.enum(LEVELS).meta({ description: 'Where it stands now.' }),
  previous: z.enum(LEVELS).meta({ description: 'Where it stood before.' }),
  cleared: z.boolean().meta({ description: 'It is within all limits again.' }),
  value: z.number(),
  unit: z.string().exactOptional(),
  limit: z
    .number()
    .meta({ description: 'The limit that is exceeded; of a cleared alarm, the one that was.' }),
  direction: z.enum(['above', 'below']),
  index: count('Of an array: the element that is worst, from 0.').exactOptional(),
});

const decimals = count(
  'Digits behind the point that it can have; of a value without an end, those that tell it from its neighbours. Absent where that is open.',
).exactOptional();
/** Bounds of a number, in its unit; what is open is absent. */
const within = z
  .object({ least: z.number().exactOptional(), greatest: z.number().exactOptional() })
  .readonly();

/** What a field of a command is asked for as. */
const INPUTS = ['number', 'choice', 'flag', 'text', 'bytes', 'time', 'json'] as const;

const command = z
  .object({
    label,
    group,
    description: z.string().exactOptional(),
    either: z.literal(true).meta({ description: 'The device may send the same message.' }).exactOptional(),
    fields: z
      .array(
        z
          .object({
            name: z.string(),
            type: z.enum(INPUTS),
            label,
            description: z.string().exactOptional(),
            unit: z.string().exactOptional(),
            least: z.number().exactOptional(),
            greatest: z.number().exactOptional(),
            decimals,
            choices: list(z.string(), 'Of a `choice`: the names of its values.').exactOptional(),
            optional: z.literal(true).exactOptional(),
            shown_by: z
              .string()
              .meta({ description: 'The value that shows whether it was carried out: `message.field`.' })
              .exactOptional(),
          })
          .readonly(),
      )
      .readonly(),
    reply: z.enum(['none', 'status', 'fields']),
  })
  .readonly();

const declaration = z.object({
  fields: z
    .record(
      z.string(),
      z
        .object({
          unit: z.string().meta({ description: 'As it is declared: `°C`.' }).exactOptional(),
          label,
          group,
          decimals,
          warn: within.meta({ description: 'Outside of it the value is doubtful.' }).exactOptional(),
          alarm: within.meta({ description: 'Outside of it there is an alarm.' }).exactOptional(),
        })
        .readonly(),
    )
    .readonly()
    .meta({ description: 'By message and field, with dots, as in `quality`.' }),
  messages: z
    .record(z.string(), z.object({ label, group }).readonly())
    .readonly()
    .meta({ description: 'Messages with names for people.' })
    .exactOptional(),
  commands: z
    .record(z.string(), command)
    .readonly()
    .meta({ description: 'What a device that speaks so may be sent, by name, with what each takes.' })
    .exactOptional(),
  replay: z.literal(true).meta({ description: 'Of a trace that is played.' }).exactOptional(),
});

const bytes = z.object({
  at: instant(),
  direction: z.enum(['in', 'out']),
  bytes: z.object({ $bytes: z.string().meta({ description: 'base64' }), len: count() }),
});

/** The link axis; `since` in ms since the epoch, `attempt` counts openings since the last success. */
export type LinkState = Readonly<z.output<typeof link>>;
/** The retained document of `devices/<id>/state`: what is unknown is absent. */
export type StateDocument = Readonly<z.output<typeof state>>;
/** The document of `devices/<id>/stats`; counts since the start of the bridge. */
export type StatsDocument = Readonly<z.output<typeof stats>>;
/** The document of `buses/<id>/state`. */
export type BusDocument = Readonly<z.output<typeof bus>>;
/** A value crossed a limit, or came back; an event of `devices/<id>/alarms`, without its time. */
export type AlarmEvent = Omit<Readonly<z.output<typeof alarm>>, 'at'>;

/** The document of `declarations/<key>`: every field of the messages that a device speaks. */
export type DeclarationDocument = Omit<Readonly<z.output<typeof declaration>>, 'replay'>;

const bridge = z.looseObject({
  version: z.string(),
  started_at: instant(),
  devices: z.record(z.string(), count()).meta({ description: 'Devices by status.' }),
  listeners: list(jsonObject()),
  writes: z
    .looseObject({
      native: z.boolean().meta({ description: 'One call writes to many subscribers.' }),
      why_not_native: z.string().optional(),
      workers: count().meta({ description: 'Threads that write beside the main one.' }),
    })
    .optional()
    .meta({ description: 'How subscribers are written to.' }),
});

/** What one kind of topic holds, and how it is published. */
export interface TopicContract {
  readonly name: string;
  /** Levels in braces stand for one level each. */
  readonly address: string;
  readonly summary: string;
  /** What docs/reference/feed.md says that it holds. */
  readonly holds: string;
  /** A retained document, sent by `snapshot` and `update`; or something that happened. */
  readonly kind: 'state' | 'event' | 'broadcast';
  /** Made when it is asked for: a bridge that starts needs none. */
  readonly document: () => Schema;
}

export const TOPICS: readonly TopicContract[] = [
  {
    name: 'deviceState',
    address: 'devices/{device}/state',
    summary: 'How a device is: its two statuses, who it says it is, its clock, its values.',
    holds:
      'the two statuses with reasons, who it says it is (`identity`), who we said we are (`registered_as`), its clock',
    kind: 'state',
    document: () => jsonSchemaOf(state),
  },
  {
    name: 'deviceStats',
    address: 'devices/{device}/stats',
    summary:
      'Counts of a device since the bridge was started; at most once in each of its heartbeat intervals.',
    holds:
      'counts since the start of the bridge, last heartbeat, round trip; at most once in each heartbeat interval',
    kind: 'state',
    document: () => jsonSchemaOf(stats),
  },
  {
    name: 'busState',
    address: 'buses/{bus}/state',
    summary: 'How the line of several devices is: its link, and the devices on it.',
    holds: 'the link of a line that several devices share, and which these are',
    kind: 'state',
    document: () => jsonSchemaOf(bus),
  },
  {
    name: 'busStats',
    address: 'buses/{bus}/stats',
    summary: 'Counts of the line of several devices; at most once a second.',
    holds: 'counts of that line, as `devices/<id>/stats` has them',
    kind: 'state',
    document: () => jsonSchemaOf(stats),
  },
  {
    name: 'deviceMessages',
    address: 'devices/{device}/messages',
    summary: 'Every message of a device, decoded.',
    holds: 'every message of the device, decoded; heartbeats only while a subscription names the device',
    kind: 'event',
    document: () =>
      jsonSchemaOf(
        z.looseObject({
          at: instant(),
          kind: z.string().exactOptional(),
          message: z.string().meta({ description: 'The name of the message.' }).exactOptional(),
          error: z
            .number()
            .meta({ description: 'The error code of a reply, as the device sent it.' })
            .exactOptional(),
          fields: jsonObject('As the message declares them.').exactOptional(),
        }),
      ),
  },
  {
    name: 'deviceAlarms',
    address: 'devices/{device}/alarms',
    summary: 'A value crossed a limit, or came back.',
    holds:
      'alarms of the device, as far as any are declared; they go before all other events and before states',
    kind: 'event',
    document: () => jsonSchemaOf(alarm),
  },
  {
    name: 'deviceBytes',
    address: 'devices/{device}/bytes',
    summary: 'Every chunk as it was read or written; only for patterns that end in `bytes`.',
    holds: 'every chunk as it was read or written, both ways; only for patterns that end in `bytes`',
    kind: 'event',
    document: () => jsonSchemaOf(bytes),
  },
  {
    name: 'declaration',
    address: 'declarations/{key}',
    summary:
      'The fields of declared messages with their units, and the commands; once for all devices that speak the same ones.',
    holds:
      'the fields of declared messages with their units, and the commands; `declaration` in the state of a device is the key',
    kind: 'state',
    document: () => jsonSchemaOf(declaration),
  },
  {
    name: 'bridgeStatus',
    address: 'bridge/status',
    summary: 'The bridge itself: its version, devices by status, listeners, its configuration.',
    holds:
      'version, configuration and what its last reload did, devices by status, listeners, links that did not register, how subscribers are written to (`writes`)',
    kind: 'state',
    document: () => jsonSchemaOf(bridge),
  },
  {
    name: 'instanceStatus',
    address: 'bridge/{instance}/status',
    summary: 'Each of several instances, as it shows itself in `bridge/status`.',
    holds:
      'with `backplane`: the `bridge/status` of each instance under its name; `lost` with `reason`, `detail` and `since` where it is gone ([several instances](several-instances.md))',
    kind: 'state',
    document: () =>
      jsonSchemaOf(
        bridge.extend({
          lost: z
            .object({ reason: z.string(), detail: z.string(), since: instant() })
            .meta({ description: 'The instance is gone, or nothing is known of it.' })
            .exactOptional(),
        }),
      ),
  },
  {
    name: 'bridgeIncidents',
    address: 'bridge/incidents',
    summary: 'What the black box kept: traces of what devices said when something went wrong.',
    holds: 'the latest incidents, with what led to them ([incidents](incidents.md))',
    kind: 'state',
    document: () => jsonSchemaOf(incidents),
  },
  {
    name: 'instanceIncidents',
    address: 'bridge/{instance}/incidents',
    summary: 'What the black box of each of several instances kept.',
    holds: 'with `backplane`: the `bridge/incidents` of each instance under its name',
    kind: 'state',
    document: () => jsonSchemaOf(incidents),
  },
  {
    name: 'clients',
    address: 'clients',
    summary: 'Who comes and goes.',
    holds: 'who comes and goes: `event` (`joined`, `left`), `id`, `address`, and why it left as `reason`',
    kind: 'event',
    document: () =>
      jsonSchemaOf(
        z.object({
          event: z.enum(['joined', 'left']),
          id: z.string(),
          address: z.string(),
          reason: z.string().meta({ description: 'Why it left.' }).exactOptional(),
        }),
      ),
  },
  {
    name: 'broadcast',
    address: 'broadcast/all',
    summary: 'What clients send to all others; every client gets it, subscribed or not.',
    holds:
      'what clients send to all others; every client gets it, subscribed or not, and a pattern that covers it recovers it after a break',
    kind: 'broadcast',
    document: () => ({}),
  },
];
