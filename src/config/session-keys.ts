import { z } from 'zod';
import { LEAST_BACK_OFF_MS, SESSION_ROLES } from '../contract/index.ts';
import { DEFAULT_SERIAL_SETTINGS, HIGHEST_BAUD, parseBaud } from '../links/index.ts';
import { IDENTITY_RULES, LONGEST_BUILTIN } from '../protocol/index.ts';
import {
  badType,
  badValue,
  choiceField,
  durationField,
  durationOrFalse,
  field,
  flagField,
  numberField,
  textField,
} from './field.ts';
import { deferred } from './keys.ts';
import { recordField } from './storage.ts';
import { checkTimeZone } from './value-checks.ts';

/*
 * Keys that a device, a listener and `defaults` share. What a device says itself counts before `defaults`, and that
 * before the default here; so these groups are completed in `complete-session.ts`, once both are known.
 */

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** The longest frame that may be configured, in bytes: a frame is held in memory until it is whole. */
const HIGHEST_MAX_FRAME = 64 * 1024 * 1024;

/** What those keys may be that have a few values. */
export const SESSION_CHOICES = {
  role: SESSION_ROLES,
  identity: IDENTITY_RULES,
  beats: ['client', 'server', 'both'],
  jitter: ['full', 'none'],
  line: ['stream', 'serial'],
} as const;

export const HEARTBEAT = {
  interval: durationField(100, DAY, {
    description: 'Time from one heartbeat to the next.',
  }).prefault('3s'),
  missed: numberField(1, 1_000, {
    description: 'So many intervals (and one second) without any valid frame, and the device is offline.',
  }).prefault(3),
  from: choiceField(SESSION_CHOICES.beats, {
    description: 'Who sends heartbeats: the side that registers (client), the other one (server), or both.',
  }).prefault('client'),
};

export const CLOCK = {
  every: durationField(SECOND, 7 * DAY, {
    description: "Time from one request for the device's time to the next.",
  }).prefault('60s'),
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
};

export const RECONNECT = {
  initial: durationField(LEAST_BACK_OFF_MS, HOUR, {
    description: 'The longest first pause.',
  }).prefault('1s'),
  max: durationField(LEAST_BACK_OFF_MS, DAY, {
    description: 'The longest pause of all.',
  }).prefault('30s'),
  multiplier: numberField(
    1,
    10,
    { description: 'Each pause may be so many times as long as the one before.' },
    true,
  ).prefault(2),
  jitter: choiceField(SESSION_CHOICES.jitter, {
    description:
      '`full` draws each pause at random between 100 ms and its bound, so that many devices do not return at once.',
  }).prefault('full'),
};

export const PRESENCE = {
  every: durationField(SECOND, 30 * DAY, { description: 'The device reports at least so often.' }),
};

export const imei = (description: string) =>
  textField('an IMEI', '"490154203237518"', { description, examples: ['490154203237518'] });
export const appid = (description: string) =>
  textField('an appid', '3f2504e0-4f89-41d3-9a0c-0305e82c3301', {
    description,
    examples: ['3f2504e0-4f89-41d3-9a0c-0305e82c3301'],
  });

const register = z.strictObject({
  appid: appid('A UUID; 36 characters of any text with `identity: any`.').optional(),
  imei: imei('15 digits, in quotes; 15 characters of any text with `identity: any`.').optional(),
});

/** How long requests and links may take. */
export const TIMEOUTS = {
  connect_timeout: durationField(100, 10 * MINUTE, {
    description: 'How long an address may take to answer before the next one is tried.',
  }).prefault('10s'),
  request_timeout: durationField(10, 10 * MINUTE, {
    description: 'How long a request waits for its reply.',
  }).prefault('5s'),
};

/** How one peer is kept alive, on either side. */
export const SESSION = {
  role: choiceField(SESSION_CHOICES.role, {
    description:
      'client: we register, then send heartbeats; server: the peer does, and we answer. The side that dials is client by default.',
  }).optional(),
  register: register.optional(),
  identity: choiceField(SESSION_CHOICES.identity, {
    description: '`any` admits an appid that is no UUID and an IMEI that is not 15 digits.',
  }).prefault('standard'),
  heartbeat: z.strictObject(deferred(HEARTBEAT)).optional(),
  clock: z
    .union([z.literal(false), z.strictObject(deferred(CLOCK))])
    .meta({
      description:
        "Asking for the device's time. The client role does so every 60 s; the server role only where `clock` is given. `false` switches it off.",
    })
    .optional(),
  presence: z
    .union([z.literal(false), z.strictObject(PRESENCE)])
    .meta({
      description:
        'For devices that connect, report and hang up: `away`, not `offline`, until the next report is overdue. `false` switches it off.',
    })
    .optional(),
  request_timeout: TIMEOUTS.request_timeout,
  max_frame: numberField(LONGEST_BUILTIN, HIGHEST_MAX_FRAME, {
    description:
      'The longest payload of a frame, in bytes; 1 MiB on a stream, 52 on a serial line where it is left out.',
  }).optional(),
  record: recordField.optional(),
};

/** The settings of a serial port beside its speed. */
export const PORT = {
  data_bits: choiceField([5, 6, 7, 8], { description: 'Data bits of a serial line.' }).prefault(
    DEFAULT_SERIAL_SETTINGS.dataBits,
  ),
  stop_bits: choiceField([1, 1.5, 2], { description: 'Stop bits of a serial line.' }).prefault(
    DEFAULT_SERIAL_SETTINGS.stopBits,
  ),
  parity: choiceField(['none', 'even', 'odd', 'mark', 'space'], {
    description: 'Parity of a serial line.',
  }).prefault(DEFAULT_SERIAL_SETTINGS.parity),
  rtscts: flagField({ description: 'Hardware flow control.' }).prefault(DEFAULT_SERIAL_SETTINGS.rtscts),
  xon: flagField({ description: 'Software flow control of what we send.' }).prefault(
    DEFAULT_SERIAL_SETTINGS.xon,
  ),
  xoff: flagField({ description: 'Software flow control of what we receive.' }).prefault(
    DEFAULT_SERIAL_SETTINGS.xoff,
  ),
  dtr: flagField({
    description: 'The DTR line once the port is open; left as it is where it is left out.',
  }).optional(),
  rts: flagField({
    description: 'The RTS line once the port is open; left as it is where it is left out.',
  }).optional(),
  hupcl: flagField({ description: 'Drop the modem lines when the port is closed.' }).prefault(
    DEFAULT_SERIAL_SETTINGS.hupcl,
  ),
};

/** How a serial line is spoken to. */
export const LINE = {
  line: choiceField(SESSION_CHOICES.line, {
    description:
      '`serial` finds frames again behind lost or foreign bytes; the default for serial ports, RFC 2217 and UDP, and right for TCP to a serial server.',
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
      examples: [9_600, '115200-8N1'],
    },
    (value) => {
      if (typeof value !== 'number' && typeof value !== 'string') {
        return badType('a baud rate', value, 'Write for example 9600, 115200 or 115200-8N1.');
      }
      const parsed = parseBaud(String(value));
      return parsed.ok ? undefined : badValue(parsed.problem, parsed.fix);
    },
  ).prefault(DEFAULT_SERIAL_SETTINGS.baud),
  ...PORT,
};

const pollKeys = z.strictObject({
  message: textField('the name of a message', 'read_power', {
    description: 'A message that is declared from the host.',
    examples: ['read_power'],
  }),
  every: durationField(10, DAY, { description: 'Time from one such request to the next.' }),
  fields: z
    .record(z.string(), z.unknown())
    .optional()
    .meta({ description: 'Its fields by name.', examples: [{ address: 1 }] }),
  as: textField(
    'a name',
    'voltage',
    {
      description:
        'The name under which the values of its reply stand in the state, where that is not the name of the message.',
      examples: ['voltage'],
      pattern: '^[A-Za-z_][A-Za-z0-9_]{0,63}$',
    },
    (value) =>
      /^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(value)
        ? undefined
        : badValue(
            'Values have no name like this.',
            'Use letters, digits and underscores, at most 64, not a digit first.',
          ),
  ).optional(),
});

/** How a device without register and heartbeat lives. */
export const BARE = {
  session: choiceField(['standard', 'none'], {
    description:
      '`none` is for devices that know neither register nor heartbeat; `standard` for those that do, or whose messages declare a session of their own.',
  }).prefault('standard'),
  silence: durationOrFalse(100, DAY, { description: 'Time without a valid frame until it is offline.' })
    .optional()
    .meta({
      description:
        'With `session: none`: so long without a valid frame, and the device is offline; 10 s, or where that is longer three polls, or a lost reply (`request_timeout`, `late_window` and 2 s). `false`: it is online as long as its link is open.',
    }),
  poll: z
    .array(pollKeys)
    .optional()
    .meta({ description: 'What is asked of a device that only answers, one request at a time.' }),
  late_window: durationField(10, DAY, {
    description:
      'So long after its time-out a reply may still come; half of `request_timeout` and at least 2 s where it is left out. Until then nothing is asked whose reply may look like it.',
  }).optional(),
  turnaround: durationField(0, MINUTE, {
    description: 'Pause between the end of one exchange and the next on the line of a polled device.',
  }).prefault('10ms'),
};

/** What only a device that is dialled has. */
export const DIALLED = {
  ...LINE,
  ...BARE,
  reconnect: z.strictObject(deferred(RECONNECT)).optional(),
  connect_timeout: TIMEOUTS.connect_timeout,
};
