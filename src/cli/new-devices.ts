import { DEFAULT_SERVER, formatDuration, SESSION_DEFAULTS } from '../config/index.ts';
import { formatHostPort } from '../links/index.ts';

/** A device that is to stand in a new `devices.yaml`. */
export interface NewDevice {
  readonly id: string;
  /** As `link:` takes it. */
  readonly link: string;
  /** Serial lines. */
  readonly baud?: string | undefined;
  /** What we register as; absent: the device knows neither register nor heartbeat. */
  readonly register?: { readonly appid: string; readonly imei: string } | undefined;
  /** A pack, or a file beside it. */
  readonly messages?: string | undefined;
  /** What was seen of it, for a comment. */
  readonly seen?: string | undefined;
}

export interface NewConfig {
  readonly devices: readonly NewDevice[];
  /** `host:port`; absent: no device dials in. */
  readonly listenAt?: string | undefined;
}

/** Where devices dial in by default. */
export const DEFAULT_LISTEN_AT = formatHostPort('127.0.0.1', 9089);

const { heartbeat: HEARTBEAT } = SESSION_DEFAULTS;

const HEAD = `# yaml-language-server: $schema=./node_modules/heartwire/schemas/devices.schema.json
#
# Check it with \`heartwire check\`, run it with \`heartwire run\`; docs/reference/devices-yaml.md has every key.

# Page, API and feed. Only this machine can reach 127.0.0.1; other names and pages must be listed.
server: { host: ${DEFAULT_SERVER.host}, port: ${DEFAULT_SERVER.port} }

# What counts for every device that says nothing else.
defaults:
  heartbeat: { interval: ${formatDuration(HEARTBEAT.intervalMs)}, missed: ${HEARTBEAT.missed} }

# messages: messages.yaml     # what the devices say beside register, heartbeat and datetime
# files: { dir: files }       # where files go that devices send in chunks
`;

const EXAMPLES = `  # A device that is dialled over TCP and that we register with:
  # - id: rack-7
  #   link: tcp:10.0.0.7:9089
  #   register: { appid: 3f2504e0-4f89-41d3-9a0c-0305e82c3301, imei: "490154203237518" }
  # A device on a serial line that only answers:
  # - id: meter-1
  #   link: /dev/ttyUSB0
  #   baud: 9600-8N1
  #   session: none
  #   messages: meter.yaml
  #   poll: [{ message: read_power, every: 1s }]
`;

/** The text of a commented `devices.yaml`. */
export function initText({ devices, listenAt }: NewConfig): string {
  const entries = devices.map(deviceText).join('');
  // A key with nothing but comments behind it counts as absent.
  const listeners =
    listenAt === undefined
      ? '# listeners:\n#   - link: tcp-listen:127.0.0.1:9089\n'
      : `# Where devices dial in. Identity is not authentication: listen only on networks that you trust.\nlisteners:\n  - link: tcp-listen:${listenAt}\n    unknown: accept            # or refuse: only devices that a \`match\` above names\n`;
  return `${HEAD}\ndevices:\n${entries}${EXAMPLES}\n${listeners}`;
}

function deviceText({ id, link, baud, register, messages, seen }: NewDevice): string {
  const life =
    register === undefined
      ? '    session: none              # it knows neither register nor heartbeat; `register:` instead where it does\n'
      : `    register: { appid: ${JSON.stringify(register.appid)}, imei: ${JSON.stringify(register.imei)} }\n`;
  const speed = baud === undefined ? '' : `    baud: ${baud}\n`;
  const said = messages === undefined ? '' : `    messages: ${JSON.stringify(messages)}\n`;
  const comment = seen === undefined ? '' : `  # ${seen.replace(/[^\x20-\x7e]/g, '?')}\n`;
  return `${comment}  - id: ${JSON.stringify(id)}\n    link: ${JSON.stringify(link)}\n${speed}${life}${said}`;
}
