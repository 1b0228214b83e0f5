import { z } from 'zod';
import { patternProblem } from '../contract/wire/index.ts';
import { parseLinkAddress, parseListenAddress } from '../links/index.ts';
import { DEFAULT_LINES_PER_SECOND } from '../system/index.ts';
import { accessShape } from './access.ts';
import { backplaneShape } from './backplane.ts';
import { exposeField } from './expose.ts';
import {
  badType,
  badValue,
  capital,
  choiceField,
  durationField,
  type FieldFinding,
  field,
  flagField,
  numberField,
  oneOrMoreField,
  textField,
} from './field.ts';
import { deferred, live } from './keys.ts';
import { outputShape } from './outputs.ts';
import { secrecyShape } from './secrecy.ts';
import { serverShape } from './server.ts';
import { appid, BARE, DIALLED, imei, LINE, SESSION, TIMEOUTS } from './session-keys.ts';
import { blackBoxShape, filesShape, historyShape, knownDevicesShape, recordingShape } from './storage.ts';
import { checkId, checkNetwork } from './value-checks.ts';

const SECOND = 1_000;
const DAY = 24 * 60 * 60 * SECOND;

const refused = (parsed: { readonly problem: string; readonly fix: string }): FieldFinding => ({
  code: 'config_bad_link',
  message: parsed.problem,
  fix: parsed.fix,
});

const match = z.strictObject({
  imei: imei('The IMEI with which it registers, in quotes.').optional(),
  appid: appid('The appid with which it registers.').optional(),
  identity: textField(
    'an identity',
    '"013912345678"',
    {
      description:
        'What the login of its messages says, as text, in quotes; of a device that registers, its IMEI.',
      examples: ['013912345678'],
    },
    (value) =>
      value.length <= 64 ? undefined : badValue('An identity has at most 64 characters.', 'Shorten it.'),
  ).optional(),
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
  textField('a file', 'messages.yaml', { description, examples: ['messages.yaml', 'pack:eastron-sdm'] });

/** The keys that only a device has. */
export const DEVICE = {
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
  label: textField('a text', '"Netzteil links"', {
    description: 'What people see in place of the id, in any language.',
    examples: ['Netzteil links', '\u70e4\u7bb1'],
  }).optional(),
  group: textField('a text', '"Pr\u00fcfstand 3"', {
    description: 'A heading under which people see it, with others of the same.',
    examples: ['Pr\u00fcfstand 3'],
  }).optional(),
  link: oneOrMoreField(
    'a link',
    'tcp:10.0.0.7:9089',
    {
      description: 'Where the device is dialled; of a list, the next one when one does not answer.',
      examples: [
        'tcp:10.0.0.7:9089',
        '/dev/ttyUSB0',
        'serial:usb_serial=FT1234?baud=115200-8N1',
        'COM3',
        'udp:10.0.0.7:9089',
        'rfc2217:10.0.0.7:2217?baud=9600-8E1',
        'unix:/run/gpsd.sock',
      ],
    },
    (text) => {
      const parsed = parseLinkAddress(text);
      return parsed.ok ? undefined : refused(parsed);
    },
  ).optional(),
  bus: textField(
    'the id of a bus',
    'rs485-1',
    { description: 'The bus on which the device is, instead of a link of its own.', examples: ['rs485-1'] },
    checkId,
  ).optional(),
  address: field<number | string>(
    {
      anyOf: [{ type: 'integer', minimum: 0 }, { type: 'string' }],
      description:
        'Its address, which `protocol.address` of its messages places; long ones of digits in quotes.',
      examples: [1, '000012345678'],
    },
    (value) =>
      (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) || typeof value === 'string'
        ? undefined
        : badType('an address', value, 'Write for example 1, or "000012345678".'),
  ).optional(),
  match: match
    .optional()
    .meta({ description: 'By what a device that dials in is known; all that is given must agree.' }),
  messages: messages(
    'What it speaks besides the built-in messages, or with `session: none` instead of them: a file of declared messages, or a pack (`pack:NAME`).',
  ).optional(),
  expose: exposeField,
  required: flagField({ description: '`/readyz` says no until this device has come up once.' }).prefault(
    false,
  ),
};

export const deviceShape = z.strictObject({ ...DEVICE, ...deferred(SESSION), ...deferred(DIALLED) });

/** What a listener admits; `defaults` does not count. */
export const ADMISSION = {
  unknown: choiceField(['accept', 'refuse'], {
    description: 'What becomes of a device that no `match` names.',
  }).prefault('accept'),
  anonymous: choiceField(['refuse', 'by-address'], {
    description: '`by-address` names a link that never registers `addr-<ip>`.',
  }).prefault('refuse'),
  max_devices: numberField(0, 1_000_000, {
    description: 'Unknown devices kept at once; for one more, one that is gone makes room.',
  }).prefault(1_000),
  max_new_per_minute: numberField(1, 1_000_000, {
    description: 'Unknown devices that one address makes known in a minute, or at once.',
  }).prefault(1_000),
  forget: durationField(SECOND, 365 * DAY, {
    description: 'An unknown device that has been away for so long is forgotten.',
  }).prefault('24h'),
  max_nameless: numberField(1, 1_000_000, {
    description: 'Links without a name at once; beyond it the oldest is closed.',
  }).prefault(256),
  max_connections: numberField(1, 1_000_000, {
    description: 'Connections at once.',
  }).prefault(10_000),
  max_connections_per_address: numberField(1, 1_000_000, {
    description:
      'Connections at once from one address, IPv6 by networks of 64 bits; many devices may sit behind one router.',
  }).prefault(1_000),
};

/** The keys that only a listener has. */
export const LISTENER = {
  link: textField(
    'the address to listen at',
    'tcp-listen:127.0.0.1:9089',
    {
      description: 'Where devices dial in.',
      examples: ['tcp-listen:127.0.0.1:9089', 'tcp-listen:[::]:9089', 'udp-listen:0.0.0.0:9089'],
    },
    (text) => {
      const parsed = parseListenAddress(text);
      return parsed.ok ? undefined : refused(parsed);
    },
  ),
  ...deferred(ADMISSION),
  messages: messages(
    'What devices accepted here speak, by a file or a pack of their own instead of the one at the top.',
  ).optional(),
};

export const listenerShape = z.strictObject({
  ...LISTENER,
  ...deferred(BARE),
  line: LINE.line,
  gap: LINE.gap,
  ...deferred(SESSION),
});

/** How a bus takes its turns. */
export const BUS_TIMES = {
  turnaround: durationField(0, 60 * SECOND, {
    description: 'Silence between the end of one exchange and the next request on the line.',
  }).prefault('20ms'),
  timeout: durationField(10, 10 * 60 * SECOND, {
    description: 'How long a request waits for its reply; a device may have its own `request_timeout`.',
  }).prefault('1s'),
};

/** The keys of a bus. */
export const BUS = {
  id: textField(
    'the id of the bus',
    'rs485-1',
    {
      description: 'The name of the bus in topics, addresses and logs.',
      pattern: '^[A-Za-z0-9._-]{1,64}$',
      examples: ['rs485-1'],
    },
    checkId,
  ),
  link: DEVICE.link,
  match: match.optional().meta({
    description:
      'By what a DTU is known that dials in and has the line behind it: its address (`from`), or the text with which it registers (`identity`).',
  }),
  passive: flagField({
    description: 'Another host asks on this line: nothing is sent, and what it asks and gets is read.',
  }).optional(),
  expose: exposeField,
  ...BUS_TIMES,
};

export const busShape = z.strictObject({
  ...BUS,
  ...deferred(BUS_TIMES),
  ...deferred(LINE),
  reconnect: deferred(DIALLED).reconnect,
  connect_timeout: deferred(TIMEOUTS).connect_timeout,
  max_frame: deferred(SESSION).max_frame,
  record: deferred(SESSION).record,
});

export const defaultsShape = z.strictObject({ ...deferred(SESSION), ...deferred(DIALLED) });

export const METRICS = {
  per_device: flagField({
    description:
      'Configured devices, 1,000 at most, have series of their own at `/metrics`; without it all devices are counted together.',
  }).prefault(false),
  values: z
    .array(
      textField(
        'a pattern of values',
        'devices/+/values/telemetry/#',
        {
          description: 'A pattern of values: `devices/<id>/values/<message>/<field>`.',
          examples: ['devices/+/values/telemetry/#'],
        },
        valuesProblem,
      ),
    )
    .meta({
      description:
        'Which values of configured devices have series of their own at `/metrics`, as patterns `devices/<id>/values/<message>/<field>`.',
    })
    .prefault([]),
};

function valuesProblem(text: string): FieldFinding | undefined {
  const problem = patternProblem(text);
  const fix = 'Write for example devices/+/values/telemetry/#.';
  if (problem !== undefined) return badValue(`${capital(problem)}.`, fix);
  const [root, , kind] = text.split('/');
  return root === 'devices' && (kind === 'values' || kind === '#')
    ? undefined
    : badValue('This names no values of devices.', fix);
}

export const LOG = {
  max_lines_per_second: numberField(1, 100_000, {
    description:
      'Lines of the log per second, on average; a minute of them at once. Errors have room before warnings, and those before other lines; what is left out is counted.',
  }).prefault(DEFAULT_LINES_PER_SECOND),
};

/** The whole of `devices.yaml`. */
export const fileShape = z.strictObject({
  server: serverShape.optional().meta({ description: 'Where the feed, the page and the API are served.' }),
  access: live(
    accessShape
      .optional()
      .meta({ description: 'Who may use the bridge; needed where it serves other machines.' }),
  ),
  defaults: defaultsShape
    .optional()
    .meta({ description: 'What each device and listener has unless it says otherwise.' }),
  recording: recordingShape
    .optional()
    .meta({ description: 'Where traces of the devices that have `record: true` are written.' }),
  black_box: blackBoxShape
    .optional()
    .meta({ description: 'What is kept of each link for the case that something goes wrong.' }),
  messages: messages(
    'The file of declared messages, or the pack (`pack:NAME`), of all devices that name none of their own.',
  ).optional(),
  files: filesShape.optional().meta({ description: 'Where files go that devices send in chunks.' }),
  known_devices: knownDevicesShape
    .optional()
    .meta({ description: 'Where unannounced devices are remembered over a restart.' }),
  history: historyShape
    .optional()
    .meta({ description: 'What was: values, statuses, alarms and commands; `false` keeps none of it.' }),
  secrecy: live(
    secrecyShape
      .optional()
      .meta({ description: 'What only subscribers with a key can read, whatever carries it to them.' }),
  ),
  outputs: live(
    z.array(outputShape).optional().meta({
      description: 'Where states and values go besides the feed: a broker, a database, messages for people.',
    }),
  ),
  backplane: backplaneShape
    .optional()
    .meta({ description: 'Several instances with one feed, over Redis or Valkey.' }),
  metrics: z.strictObject(METRICS).optional().meta({ description: 'What `/metrics` shows.' }),
  log: live(z.strictObject(LOG).optional().meta({ description: 'How much is written to the log.' })),
  buses: z.array(busShape).optional().meta({
    description: 'Lines that several devices share: RS-485, or what lies behind a gateway or a DTU.',
  }),
  devices: z.array(deviceShape).optional().meta({ description: 'The devices.' }),
  listeners: z.array(listenerShape).optional().meta({ description: 'Where devices may dial in.' }),
});

export type DeviceShape = z.output<typeof deviceShape>;
/** What a device shares with listeners and `defaults`. */
export type SessionShape = Partial<Omit<DeviceShape, keyof typeof DEVICE>>;
export type BusShape = z.output<typeof busShape>;
export type ListenerShape = z.output<typeof listenerShape>;
export type DefaultsShape = z.output<typeof defaultsShape>;
