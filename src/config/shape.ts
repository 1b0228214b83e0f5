import { z } from 'zod';
import { LEAST_BACK_OFF_MS } from '../contract/settings.ts';
import { HIGHEST_BAUD, parseBaud } from '../links/serial-address.ts';
import { parseLinkAddress, parseListenAddress } from '../links/transports.ts';
import { accessShape } from './access.ts';
import { BARE_KEYS } from './bare-shape.ts';
import {
  badType,
  choiceField,
  durationField,
  type FieldFinding,
  field,
  flagField,
  numberField,
  oneOrMoreField,
  textField,
} from './field.ts';
import { filesShape } from './files.ts';
import { knownDevicesShape } from './known-devices.ts';
import { logShape, metricsShape, requiredField } from './observing.ts';
import { recordField, recordingShape } from './recording.ts';
import { secrecyShape } from './secrecy.ts';
import { serverShape } from './server.ts';
import { checkId, checkNetwork, checkTimeZone } from './value-checks.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The longest frame that may be configured, in bytes: a frame is held in memory until it is whole. */
const HIGHEST_MAX_FRAME = 64 * 1024 * 1024;
/** The longest of the built-in messages, a register request, in bytes. */
export const LONGEST_DECLARED_FRAME = 52;

const refused = (parsed: { readonly problem: string; readonly fix: string }): FieldFinding => ({
  code: 'config_bad_link',
  message: parsed.problem,
  fix: parsed.fix,
});

const heartbeat = z.strictObject({
  interval: durationField(100, DAY, {
    description: 'Time from one heartbeat to the next.',
    default: '3s',
  }).optional(),
  missed: numberField(1, 1_000, {
    description: 'So many intervals (and one second) without any valid frame, and the device is offline.',
    default: 3,
  }).optional(),
  from: choiceField(['client', 'server', 'both'], {
    description: 'Who sends heartbeats: the side that registers (client), the other one (server), or both.',
    default: 'client',
  }).optional(),
});

const clockKeys = z.strictObject({
  every: durationField(SECOND, 7 * DAY, {
    description: "Time from one request for the device's time to the next.",
    default: '60s',
  }).optional(),
  time_zone: textField(
    'a time zone',
    'Europe/Berlin',
    {
      description:
        "The time zone of the device's clock, an IANA name; that of the bridge where it is left out.",
      examples: ['Asia/Shanghai', 'Europe/Berlin', 'UTC'],
    },
    checkTimeZone,
  ).optional(),
});
const clock = z.union([z.literal(false), clockKeys]).meta({
  description:
    "Asking for the device's time. The client role does so every 60 s; the server role only where `clock` is given. `false` switches it off.",
});

const reconnect = z.strictObject({
  initial: durationField(LEAST_BACK_OFF_MS, HOUR, {
    description: 'The longest first pause.',
    default: '1s',
  }).optional(),
  max: durationField(LEAST_BACK_OFF_MS, DAY, {
    description: 'The longest pause of all.',
    default: '30s',
  }).optional(),
  multiplier: numberField(
    1,
    10,
    { description: 'Each pause may be so many times as long as the one before.', default: 2 },
    true,
  ).optional(),
  jitter: choiceField(['full', 'none'], {
    description:
      '`full` draws each pause at random between 100 ms and its bound, so that many devices do not return at once.',
    default: 'full',
  }).optional(),
});

const presenceKeys = z.strictObject({
  every: durationField(SECOND, 30 * DAY, { description: 'The device reports at least so often.' }),
});
const presence = z.union([z.literal(false), presenceKeys]).meta({
  description:
    'For devices that connect, report and hang up: `away`, not `offline`, until the next report is overdue. `false` switches it off.',
});

const imei = (description: string) =>
  textField('an IMEI', '"490154203237518"', { description, examples: ['490154203237518'] }, () => undefined);
const appid = (description: string) =>
  textField(
    'an appid',
    '3f2504e0-4f89-41d3-9a0c-0305e82c3301',
    { description, examples: ['3f2504e0-4f89-41d3-9a0c-0305e82c3301'] },
    () => undefined,
  );

const register = z.strictObject({
  appid: appid('A UUID; 36 characters of any text with `identity: any`.').optional(),
  imei: imei('15 digits, in quotes; 15 characters of any text with `identity: any`.').optional(),
});

const role = choiceField(['client', 'server'], {
  description:
    'client: we register, then send heartbeats; server: the peer does, and we answer. Whoever dials is client by default.',
});
const identity = choiceField(['standard', 'any'], {
  description: '`any` admits an appid that is no UUID and an IMEI that is not 15 digits.',
  default: 'standard',
});
const maxFrame = numberField(LONGEST_DECLARED_FRAME, HIGHEST_MAX_FRAME, {
  description:
    'The longest payload of a frame, in bytes; 1 MiB on a stream, 52 on a serial line where it is left out.',
});
const requestTimeout = durationField(10, 10 * MINUTE, {
  description: 'How long a request waits for its reply.',
  default: '5s',
});

/** What one peer is told and asked, whoever dialled. */
const session = {
  role: role.optional(),
  register: register.optional(),
  identity: identity.optional(),
  heartbeat: heartbeat.optional(),
  clock: clock.optional(),
  presence: presence.optional(),
  request_timeout: requestTimeout.optional(),
  max_frame: maxFrame.optional(),
  record: recordField.optional(),
};

/** How a serial line is spoken to. */
export const LINE_KEYS = {
  line: choiceField(['stream', 'serial'], {
    description:
      '`serial` finds frames again behind lost or foreign bytes; the default for serial ports, and right for TCP to a serial server.',
  }).optional(),
  gap: durationField(50, MINUTE, {
    description:
      'Silence that ends a half frame on a serial line; computed from the baud rate where it is left out.',
  }).optional(),
  baud: field<number | string>(
    {
      anyOf: [
        { type: 'integer', minimum: 1, maximum: HIGHEST_BAUD },
        { type: 'string', pattern: '^\\d+(-[5-8][NEOMSneoms](1|1\\.5|2))?$' },
      ],
      description: 'Speed of a serial line, also with data bits, parity and stop bits.',
      default: 115_200,
      examples: [9_600, '115200-8N1'],
    },
    (value) => {
      if (typeof value !== 'number' && typeof value !== 'string') {
        return badType('a baud rate', value, 'Write for example 9600, 115200 or 115200-8N1.');
      }
      const parsed = parseBaud(String(value));
      return parsed.ok ? undefined : { code: 'config_bad_value', message: parsed.problem, fix: parsed.fix };
    },
  ).optional(),
  data_bits: choiceField([5, 6, 7, 8], { description: 'Data bits of a serial line.', default: 8 }).optional(),
  stop_bits: choiceField([1, 1.5, 2], { description: 'Stop bits of a serial line.', default: 1 }).optional(),
  parity: choiceField(['none', 'even', 'odd', 'mark', 'space'], {
    description: 'Parity of a serial line.',
    default: 'none',
  }).optional(),
  rtscts: flagField({ description: 'Hardware flow control.', default: false }).optional(),
  xon: flagField({ description: 'Software flow control of what we send.', default: false }).optional(),
  xoff: flagField({ description: 'Software flow control of what we receive.', default: false }).optional(),
  dtr: flagField({
    description: 'The DTR line once the port is open; left as it is where it is left out.',
  }).optional(),
  rts: flagField({
    description: 'The RTS line once the port is open; left as it is where it is left out.',
  }).optional(),
  hupcl: flagField({
    description: 'Drop the modem lines when the port is closed.',
    default: true,
  }).optional(),
};

/** What only a device that we dial has. */
export const DIALLED_KEYS = {
  ...LINE_KEYS,
  ...BARE_KEYS,
  reconnect: reconnect.optional(),
  connect_timeout: durationField(100, 10 * MINUTE, {
    description: 'How long an address may take to answer before the next one is tried.',
    default: '10s',
  }).optional(),
};

const match = z.strictObject({
  imei: imei('The IMEI with which it registers, in quotes.').optional(),
  appid: appid('The appid with which it registers.').optional(),
  from: oneOrMoreField(
    'an address or network',
    '10.0.0.0/24',
    {
      description: 'The addresses from which it dials in.',
      examples: ['10.0.0.0/24', ['10.0.0.7', 'fd00::/8']],
    },
    checkNetwork,
  ).optional(),
});

const messages = (description: string) =>
  textField('a file', 'messages.yaml', { description, examples: ['messages.yaml'] }, () => undefined);

export const deviceShape = z.strictObject({
  id: textField(
    'the id of the device',
    'psu-1',
    {
      description: 'The name of the device in topics, addresses and logs.',
      pattern: '^[A-Za-z0-9._-]{1,64}$',
      examples: ['psu-1'],
    },
    checkId,
  ),
  link: oneOrMoreField(
    'a link',
    'tcp:10.0.0.7:9089',
    {
      description: 'Where the device is dialled; of a list, the next one when one does not answer.',
      examples: ['tcp:10.0.0.7:9089', '/dev/ttyUSB0', 'serial:usb_serial=FT1234?baud=115200-8N1', 'COM3'],
    },
    (text) => {
      const parsed = parseLinkAddress(text);
      return parsed.ok ? undefined : refused(parsed);
    },
  ).optional(),
  match: match
    .optional()
    .meta({ description: 'By what a device that dials in is known; all that is given must agree.' }),
  messages: messages(
    'What it speaks besides the built-in messages, or with `session: none` instead of them: a file of declared messages.',
  ).optional(),
  required: requiredField.optional(),
  ...session,
  ...DIALLED_KEYS,
});

export const listenerShape = z.strictObject({
  link: textField(
    'the address to listen at',
    'tcp-listen:127.0.0.1:9089',
    {
      description: 'Where devices dial in.',
      examples: ['tcp-listen:127.0.0.1:9089', 'tcp-listen:[::]:9089'],
    },
    (text) => {
      const parsed = parseListenAddress(text);
      return parsed.ok ? undefined : refused(parsed);
    },
  ),
  unknown: choiceField(['accept', 'refuse'], {
    description: 'What becomes of a device that no `match` names.',
    default: 'accept',
  }).optional(),
  anonymous: choiceField(['refuse', 'by-address'], {
    description: '`by-address` names a link that never registers `addr-<ip>`.',
    default: 'refuse',
  }).optional(),
  max_devices: numberField(0, 1_000_000, {
    description: 'Unknown devices kept at once; for one more, one that came once and is gone makes room.',
    default: 1_000,
  }).optional(),
  max_new_per_minute: numberField(1, 1_000_000, {
    description: 'Unknown devices that one address makes known in a minute, or at once.',
    default: 1_000,
  }).optional(),
  forget: durationField(SECOND, 365 * DAY, {
    description: 'An unknown device that has been away for so long is forgotten.',
    default: '24h',
  }).optional(),
  max_nameless: numberField(1, 1_000_000, {
    description: 'Links without a name at once; beyond it the oldest is closed.',
    default: 256,
  }).optional(),
  max_connections: numberField(1, 1_000_000, {
    description: 'Connections at once.',
    default: 10_000,
  }).optional(),
  max_connections_per_address: numberField(1, 1_000_000, {
    description:
      'Connections at once from one address, IPv6 by networks of 64 bits; many devices may sit behind one router.',
    default: 1_000,
  }).optional(),
  messages: messages(
    'What devices accepted here speak, by a file of their own instead of the one at the top.',
  ).optional(),
  ...BARE_KEYS,
  line: LINE_KEYS.line,
  gap: LINE_KEYS.gap,
  ...session,
});

export const defaultsShape = z.strictObject({ ...session, ...DIALLED_KEYS });

/** The whole of `devices.yaml`, as it is written: nothing filled in, nothing converted. */
export const fileShape = z.strictObject({
  server: serverShape.optional().meta({ description: 'Where the feed, the page and the API are served.' }),
  access: accessShape
    .optional()
    .meta({ description: 'Who may use the bridge; needed where it serves other machines.' }),
  defaults: defaultsShape
    .optional()
    .meta({ description: 'What each device and listener has unless it says otherwise.' }),
  recording: recordingShape
    .optional()
    .meta({ description: 'Where traces of the devices that have `record: true` are written.' }),
  messages: messages('The file of declared messages of all devices that name none of their own.').optional(),
  files: filesShape.optional().meta({ description: 'Where files go that devices send in chunks.' }),
  known_devices: knownDevicesShape
    .optional()
    .meta({ description: 'Where unannounced devices are remembered over a restart.' }),
  secrecy: secrecyShape
    .optional()
    .meta({ description: 'What only subscribers with a key can read, whoever carries it to them.' }),
  metrics: metricsShape.optional().meta({ description: 'What is told at `/metrics`.' }),
  log: logShape.optional().meta({ description: 'How much is written to the log.' }),
  devices: z.array(deviceShape).optional().meta({ description: 'The devices.' }),
  listeners: z.array(listenerShape).optional().meta({ description: 'Where devices may dial in.' }),
});

export type DeviceShape = z.infer<typeof deviceShape>;
export type ListenerShape = z.infer<typeof listenerShape>;
export type DefaultsShape = z.infer<typeof defaultsShape>;
