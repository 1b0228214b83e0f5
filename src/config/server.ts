import { z } from 'zod';
import { parseBlock } from '../contract/index.ts';
import {
  badType,
  durationField,
  type FieldFinding,
  field,
  flagField,
  numberField,
  textField,
} from './field.ts';
import { type ConfigOf, configOf, defaultsOf, live } from './keys.ts';
import type { Finding } from './problem.ts';
import { checkHost, checkHostName, checkNetwork, checkOrigin } from './value-checks.ts';

const SECOND = 1_000;

const tlsFile = (example: string, description: string) => textField('a file', example, { description });

const LINES = {
  host: textField(
    'a host',
    '127.0.0.1',
    { description: 'The address for JSON lines; every program that reaches it may use the feed.' },
    checkHost,
  ).prefault('127.0.0.1'),
  port: numberField(0, 65_535, { description: 'The port for JSON lines; 0 takes any free one.' }),
  tls: flagField({
    description:
      'JSON lines over TLS with the pair of `server.tls`; so they are where that is given, unless this is `false`.',
  }).optional(),
};

const MOST_WORKERS = 64;

function checkWorkers(value: unknown): FieldFinding | undefined {
  const fix = `Write auto, or a whole number from 0 to ${MOST_WORKERS}.`;
  if (value === 'auto') return undefined;
  if (typeof value !== 'number') return badType('auto or a whole number', value, fix);
  if (Number.isInteger(value) && value >= 0 && value <= MOST_WORKERS) return undefined;
  return { code: 'config_bad_value', message: 'The number is out of range.', fix };
}

/** The keys of `server`. */
export const SERVER = {
  host: textField(
    'a host',
    '127.0.0.1',
    { description: 'The address at which page, feed and API are served.' },
    checkHost,
  ).prefault('127.0.0.1'),
  port: numberField(0, 65_535, { description: 'Its port; 0 takes any free one.' }).prefault(8_080),
  origins: live(
    z
      .array(
        textField(
          'an origin',
          'https://panel.example',
          { description: '`scheme://host` or `scheme://host:port`.' },
          checkOrigin,
        ),
      )
      .prefault([])
      .meta({ description: 'Web pages that may connect besides our own.' }),
  ),
  hosts: live(
    z
      .array(
        textField(
          'a host name',
          'bench-3.example',
          { description: 'A host name without port.' },
          checkHostName,
        ),
      )
      .prefault([])
      .meta({ description: 'Names by which browsers reach the bridge, besides loopback and `host`.' }),
  ),
  tls: z
    .strictObject({
      cert: tlsFile(
        'tls/fullchain.pem',
        'The file of the certificate with its chain, PEM; read again when it changes.',
      ),
      key: tlsFile(
        'tls/privkey.pem',
        'The file of its private key, PEM, without a passphrase; read again when it changes.',
      ),
    })
    .optional()
    .meta({ description: 'Page, API and feed are served over TLS with this pair: `https` and `wss`.' }),
  trusted_proxies: live(
    z
      .array(
        textField(
          'an address or network',
          '127.0.0.1',
          { description: 'An IP address or a network such as 10.0.0.0/24.' },
          checkNetwork,
        ),
      )
      .transform((blocks) => blocks.map(parseBlock).filter((each) => each !== undefined))
      .prefault([])
      .meta({
        description:
          'Proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed; those of others are not.',
      }),
  ),
  max_connections_per_address: live(
    numberField(1, 20_000, {
      description:
        'Subscribers from one address at once, loopback excepted; IPv6 is counted by networks of 64 bits.',
    }).prefault(30),
    'for new connections',
  ),
  max_connects_per_second: live(
    numberField(1, 10_000, {
      description:
        'New connections from one address per second, loopback excepted; six times as many at once.',
    }).prefault(10),
    'for new connections',
  ),
  max_new_subscribers_per_second: live(
    numberField(1, 100_000, {
      description:
        'New subscribers per second, from all addresses together; twice as many at once. More come back later.',
    }).prefault(500),
  ),
  max_requests_per_second: live(
    numberField(1, 100_000, {
      description:
        'HTTP requests of one address, and of one token, per second; five times as many at once. Each 64 KiB of an answer beyond the first ones count as one more. More get status 429.',
    }).prefault(100),
    'for new connections',
  ),
  max_message_bytes: live(
    numberField(1_024, 1_048_576, {
      description: 'The largest message of a client; a larger one ends its connection.',
    }).prefault(65_536),
    'for new connections',
  ),
  max_messages_per_second: live(
    numberField(1, 10_000, {
      description: 'Messages of one client per second; twice as many at once.',
    }).prefault(100),
    'for new connections',
  ),
  max_patterns: live(
    numberField(1, 10_000, {
      description: 'Patterns that one client may subscribe to at once.',
    }).prefault(256),
    'for new connections',
  ),
  auth_timeout: live(
    durationField(SECOND, 300 * SECOND, {
      description: 'How long a client may take to show its token, where one is needed.',
    }).prefault('10s'),
    'for new connections',
  ),
  flush_window: live(
    durationField(1, SECOND, {
      description:
        'Changes wait so long for others that go out with them; without it, only for those of the same moment.',
    }).optional(),
    'for new changes',
  ),
  native: flagField({
    description:
      'Whether one call writes to many subscribers where the native part is built; not over TLS, nor on Windows.',
  }).prefault(true),
  workers: field<number | 'auto'>(
    {
      description:
        'Threads that write to subscribers beside the main one, for a thousand and more; `auto`: one for each core, where there are several.',
      anyOf: [{ const: 'auto' }, { type: 'integer', minimum: 0, maximum: MOST_WORKERS }],
    },
    checkWorkers,
  ).prefault(0),
  tcp: z
    .strictObject(LINES)
    .optional()
    .meta({ description: 'The feed as JSON lines over TCP; not served where it is left out.' }),
};

export const serverShape = z.strictObject(SERVER);

/** Where the feed is served as JSON lines over TCP; `tls`: with the pair of the server. */
export type LinesConfig = Omit<ConfigOf<typeof LINES>, 'tls'> & { readonly tls: boolean };

/** Where the feed, the page and the API are served. */
export type ServerConfig = Omit<ConfigOf<typeof SERVER>, 'tcp'> & { readonly tcp?: LinesConfig };

/** What holds where nothing is configured. */
export const DEFAULT_SERVER: ServerConfig = completeServer(defaultsOf(SERVER), () => undefined);

/** The configuration that `server` is, and what contradicts itself in it. */
export function completeServer(
  given: z.output<typeof serverShape>,
  add: (finding: Finding) => void,
): ServerConfig {
  const { tcp, ...server } = configOf(SERVER, given);
  if (tcp?.tls === true && server.tls === undefined) {
    add({
      code: 'config_missing_key',
      path: ['server', 'tcp', 'tls'],
      unless: [['server', 'tls']],
      message: 'There is no certificate.',
      fix: 'Add `tls: { cert: ..., key: ... }` below `server:`.',
    });
  }
  return { ...server, ...(tcp && { tcp: { ...tcp, tls: tcp.tls ?? server.tls !== undefined } }) };
}
