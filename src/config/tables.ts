import { z } from 'zod';
import { type Tables, table } from '../contract/feed/index.ts';
import { accessShape } from './access.ts';
import { BACKPLANE } from './backplane.ts';
import { SETTINGS } from './diff-config.ts';
import { inputSchema, type JsonSchema } from './json-schema.ts';
import type { Effect, Keys } from './keys.ts';
import { OUTPUT_KEYS } from './outputs.ts';
import { SERVER } from './server.ts';
import { BARE, DIALLED, LINE, SESSION } from './session-keys.ts';
import { BUS, DEVICE, fileShape, LISTENER } from './shape.ts';
import { blackBoxShape, historyShape, knownDevicesShape } from './storage.ts';

const { record, ...session } = SESSION;
const { messages, files, recording, metrics, log, secrecy } = fileShape.shape;
const { reconnect, connect_timeout } = DIALLED;
const busKeys = { ...BUS, reconnect, connect_timeout, record };

/** The tables of docs/reference/devices-yaml.md, by their names. */
export const CONFIG_TABLES: Tables = {
  'keys of server': () => keysTable(SERVER),
  'keys of access': () => keysTable(accessShape.shape),
  'keys of devices': () => keysTable(DEVICE),
  'keys of sessions': () => keysTable(session),
  'keys of dialled devices': () => keysTable({ reconnect, connect_timeout }),
  'keys of recording': () => keysTable({ record, recording }),
  'keys of the black box': () => keysTable(blackBoxShape.shape),
  'keys of polled devices': () => keysTable(BARE),
  'keys of files': () => keysTable({ messages, files }),
  'keys of MQTT outputs': () => keysTable(OUTPUT_KEYS.mqtt),
  'keys of database outputs': () => keysTable(OUTPUT_KEYS.influx),
  'keys of webhooks': () => keysTable(OUTPUT_KEYS.webhook),
  'keys of mail': () => keysTable(OUTPUT_KEYS.mail),
  'keys of the backplane': () => keysTable(BACKPLANE),
  'keys of metrics': () => keysTable({ metrics }),
  'keys of log': () => keysTable({ log }),
  'keys of secrecy': () => keysTable({ secrecy }),
  'keys of serial lines': () => keysTable(LINE),
  'keys of buses': () => keysTable(busKeys),
  'keys of listeners': () => keysTable(LISTENER),
  'keys of history': () => keysTable(historyShape.options[1].shape),
  'keys of known devices': () => keysTable(knownDevicesShape.shape),
  'effects of a reload': () =>
    table(
      ['key', 'a change of it'],
      EFFECTS.map(([effect, text]) => [
        SETTINGS.filter((setting) => setting.effect === effect)
          .map(({ key }) => `\`${key}\``)
          .join(', '),
        text,
      ]),
    ),
};

const EFFECTS: readonly (readonly [effect: Effect | undefined, text: string])[] = [
  ['at once', 'holds at once'],
  [
    'for new connections',
    'holds at once for connections that are opened from then on, whose `welcome` says so; those that are open keep to the `welcome` that they got, and none is closed for being one too many now',
  ],
  ['for new changes', 'holds at once for what changes from then on'],
  [undefined, 'needs a restart, and the log and `bridge/status` say so until then'],
];

/** Every key of a group, those of groups within it behind a dot, with its default and its meaning. */
const keysTable = (keys: Keys): string =>
  table(['key', 'default', 'meaning'], rowsOf(inputSchema(z.strictObject(keys)), ''));

function rowsOf({ properties = {} }: JsonSchema, above: string): (readonly string[])[] {
  return Object.entries(properties).flatMap(([key, value]) => {
    if (typeof value === 'boolean') return [];
    const own: readonly string[] = [`\`${above}${key}\``, shown(value.default), value.description ?? ''];
    const within = [value, ...(value.anyOf ?? []), value.items].flatMap((each) =>
      typeof each === 'object' && !Array.isArray(each) ? rowsOf(each, `${above}${key}.`) : [],
    );
    return value.description === undefined ? within : [own, ...within];
  });
}

function shown(value: unknown): string {
  if (value === undefined) return '';
  return `\`${typeof value === 'string' ? value : JSON.stringify(value)}\``;
}
