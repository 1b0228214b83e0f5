import { dirname, isAbsolute, join, normalize } from 'node:path';
import { z } from 'zod';
import {
  badValue,
  choiceField,
  durationField,
  type FieldFinding,
  flagField,
  mebibytesField,
  oneOrMoreField,
  textField,
} from './field.ts';
import { type ConfigOf, configOf, type Keys } from './keys.ts';
import type { Finding, Path } from './problem.ts';

/* The key `outputs`: where states and values go besides the feed. */

const HOUR = 3_600_000;

const EVENTS = ['offline', 'online', 'alarm', 'incident'] as const;
const FORMATS = ['json', 'ntfy', 'slack', 'feishu', 'dingtalk', 'wecom'] as const;

function urlField(example: string, protocols: readonly string[], description: string) {
  return textField('an address', example, { description, examples: [example] }, (text) => {
    if (!URL.canParse(text)) return badValue('This is no address.', `Write for example ${example}.`);
    const url = new URL(text);
    if (!protocols.includes(url.protocol.slice(0, -1)))
      return badValue(
        `An address that begins with ${url.protocol}// cannot be used here.`,
        `Write ${protocols.map((each) => `${each}://`).join(' or ')}, for example ${example}.`,
      );
    // It would be shown with the state of the output.
    if (url.password !== '')
      return badValue('A password in an address is shown to people.', 'Put it into a file, and name that.');
    return undefined;
  });
}

const secretFile = (example: string, description: string) =>
  textField('a file', example, { description }).optional();
const WEB = ['http', 'https'];

const MQTT = {
  url: urlField('mqtt://127.0.0.1:1883', ['mqtt', 'mqtts'], 'The broker.'),
  prefix: textField('a topic', 'heartwire', { description: 'The first level of all topics.' }, (text) =>
    /^[^+#\s]+$/.test(text)
      ? undefined
      : badValue('This cannot begin a topic.', 'Write a word, such as heartwire.'),
  ).prefault('heartwire'),
  home_assistant: flagField({
    description: 'Whether devices, their values and their commands are announced to Home Assistant.',
  }).prefault(false),
  discovery_prefix: textField('a topic', 'homeassistant', {
    description: 'Where Home Assistant looks for announcements.',
  }).prefault('homeassistant'),
  commands: flagField({ description: 'Whether devices take commands from the broker.' }).prefault(false),
  state_interval: durationField(0, HOUR, {
    description: 'The state of one device is published at most once in this time; the last one always is.',
  }).prefault('1s'),
  username: textField('a name', 'heartwire', { description: 'With which name to log in.' }).optional(),
  password_file: secretFile('mqtt.password', 'The file of the password.'),
  ca_file: secretFile(
    'ca.pem',
    'The certificates of the authority that signed that of the broker, where it is not a public one.',
  ),
};

const INFLUX = {
  url: urlField(
    'http://127.0.0.1:8086',
    WEB,
    'The database: InfluxDB 2, or another one that takes its line protocol.',
  ),
  bucket: textField('a bucket', 'bench', { description: 'The bucket, or the database.' }),
  org: textField('an organization', 'lab', {
    description: 'The organization, where the database asks for one.',
  }).optional(),
  token_file: secretFile('influx.token', 'The file of the token.'),
  batch: durationField(0, HOUR, {
    description: 'Points of so long go in one request, up to 5,000 of them.',
  }).prefault('1s'),
  buffer_mb: mebibytesField(1, 4_096, {
    description:
      'So many MiB of points wait in memory while the database is away; then the oldest go, and are counted.',
  }).prefault(16),
  buffer_dir: textField('a folder', 'influx-buffer', {
    description:
      'Where points wait on the disk while the database is away, through restarts; a folder of this output alone.',
  }).optional(),
  disk_mb: mebibytesField(1, 1_048_576, {
    description: 'So many MiB of points wait in `buffer_dir`; then the oldest go, and are counted.',
  }).prefault(256),
};

/** Of messages for people, whichever way they take. */
const NOTICE = {
  on: z
    .array(choiceField(EVENTS, { description: 'Of what there is a message.' }))
    .meta({ description: 'Of what there is a message.' })
    .prefault(['offline', 'online', 'alarm']),
  language: choiceField(['en', 'zh'], { description: 'The language of the text.' }).prefault('en'),
  for: durationField(0, 24 * HOUR, {
    description: 'How long something stays so before there is a message; what comes back sooner makes none.',
  }).prefault('10s'),
  quiet: textField(
    'a part of the day',
    '22:00-07:00',
    { description: 'When nothing is sent, in local time; what still is so at the end is sent then.' },
    (text) =>
      quietMinutes(text) === undefined
        ? badValue('This is no part of a day.', 'Write for example 22:00-07:00.')
        : undefined,
  ).optional(),
};

const WEBHOOK = {
  url: urlField('https://ntfy.example/bench', WEB, 'Where the message is sent, by POST.'),
  format: choiceField(FORMATS, {
    description: 'For which service the message is written; `json` is our own.',
  }).prefault('json'),
  secret_file: secretFile(
    'hook.key',
    'The file of the secret that signs each message: HMAC-SHA256 for `json`, and as Feishu and DingTalk define it.',
  ),
  ...NOTICE,
};

const MAIL = {
  url: urlField(
    'smtp://mail.example:587',
    ['smtp', 'smtps'],
    'The mail server: smtp:// with STARTTLS where the server has it, smtps:// with TLS from the start.',
  ),
  username: textField('a name', 'heartwire', { description: 'With which name to log in.' }).optional(),
  password_file: secretFile(
    'mail.password',
    'The file of the password; it is sent over TLS only, but for a server on this machine.',
  ),
  ca_file: secretFile('ca.pem', 'The certificates of the authority, where it is not a public one.'),
  from: textField('a mail address', 'heartwire@example.com', { description: 'The sender.' }, mailProblem),
  to: oneOrMoreField(
    'a mail address',
    'bench@example.com',
    { description: 'The receivers: one address, or a list.' },
    mailProblem,
  ),
  ...NOTICE,
};

function mailProblem(text: string): FieldFinding | undefined {
  return /^[^\s@<>,;"]+@[^\s@<>,;"]+$/.test(text)
    ? undefined
    : badValue('This is no mail address.', 'Write for example bench@example.com.');
}

/** An entry of `outputs`, as it is written. */
export const outputShape = z.strictObject({
  mqtt: z
    .strictObject(MQTT)
    .optional()
    .meta({ description: 'States, values and commands over a broker, 5 or 3.1.1.' }),
  influx: z
    .strictObject(INFLUX)
    .optional()
    .meta({ description: 'Values and statuses into a time-series database.' }),
  webhook: z
    .strictObject(WEBHOOK)
    .optional()
    .meta({ description: 'Messages for people: chats, phones, programs.' }),
  mail: z.strictObject(MAIL).optional().meta({ description: 'Messages for people, as mail.' }),
});

export const OUTPUT_KEYS: Readonly<Record<OutputConfig['kind'], Keys>> = {
  mqtt: MQTT,
  influx: INFLUX,
  webhook: WEBHOOK,
  mail: MAIL,
};

export type MqttConfig = ConfigOf<typeof MQTT>;
export type InfluxConfig = ConfigOf<typeof INFLUX>;
type Quiet<T> = Omit<T, 'quiet'> & {
  /** Minutes of the local day; it may go past midnight. */
  readonly quiet?: readonly [from: number, to: number];
};
/** Of what there are messages for people, when, and in which language. */
export type NoticeConfig = Quiet<ConfigOf<typeof NOTICE>>;
export type WebhookConfig = Quiet<ConfigOf<typeof WEBHOOK>>;
export type MailConfig = Quiet<ConfigOf<typeof MAIL>>;

/** Where states and values go besides the feed. */
export type OutputConfig =
  | ({ readonly kind: 'mqtt' } & MqttConfig)
  | ({ readonly kind: 'influx' } & InfluxConfig)
  | ({ readonly kind: 'webhook' } & WebhookConfig)
  | ({ readonly kind: 'mail' } & MailConfig);

/** Files count from the folder of `file`, the configuration; none where the entry is wrong, which has then been added. */
export function completeOutput(
  { mqtt, influx, webhook, mail }: z.output<typeof outputShape>,
  file: string,
  path: Path,
  add: (finding: Finding) => void,
): readonly OutputConfig[] {
  const beside = (name: string): string => (isAbsolute(name) ? name : join(dirname(file), name));
  const placed = <T extends object>(config: T): T =>
    // Only the texts that name files are others.
    Object.fromEntries(
      Object.entries(config).map(([key, value]) => [
        key,
        /(?:File|Dir)$/.test(key) ? beside(String(value)) : value,
      ]),
    ) as T;
  const found: OutputConfig[] = [];
  if (mqtt !== undefined) found.push({ kind: 'mqtt', ...placed(configOf(MQTT, mqtt)) });
  if (influx !== undefined) found.push({ kind: 'influx', ...placed(configOf(INFLUX, influx)) });
  const inMinutes = <T extends { readonly quiet?: string }>({ quiet, ...rest }: T) => {
    const minutes = quiet === undefined ? undefined : quietMinutes(quiet);
    return { ...rest, ...(minutes === undefined ? {} : { quiet: minutes }) };
  };
  if (webhook !== undefined)
    found.push({ kind: 'webhook', ...inMinutes(placed(configOf(WEBHOOK, webhook))) });
  if (mail !== undefined) found.push({ kind: 'mail', ...inMinutes(placed(configOf(MAIL, mail))) });
  if (found.length === 1) return found;
  add({
    code: found.length === 0 ? 'config_missing_key' : 'config_conflict',
    path,
    message: found.length === 0 ? 'This output is of no kind.' : 'This output is of several kinds.',
    fix: 'Write one of `mqtt:`, `influx:`, `webhook:` and `mail:` in each entry.',
  });
  return [];
}

/** What one output leaves on the disk must not be sent by another one. */
export function checkBufferFolders(outputs: readonly OutputConfig[], add: (finding: Finding) => void): void {
  const taken = new Set<string>();
  for (const output of outputs) {
    const folder = output.kind === 'influx' ? output.bufferDir : undefined;
    if (folder === undefined) continue;
    if (taken.has(normalize(folder)))
      add({
        code: 'config_conflict',
        path: ['outputs'],
        message: `Two outputs keep what waits in ${folder}.`,
        fix: 'Give each its own `buffer_dir`.',
      });
    taken.add(normalize(folder));
  }
}

/** Minutes of the day; undefined where the text is no part of one. */
function quietMinutes(text: string): readonly [number, number] | undefined {
  const [, ...parts] = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(text) ?? [];
  if (parts.length === 0) return undefined;
  const [fromHour = 0, fromMinute = 0, toHour = 0, toMinute = 0] = parts.map(Number);
  return [fromHour * 60 + fromMinute, toHour * 60 + toMinute];
}
