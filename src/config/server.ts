import { z } from 'zod';
import { type AddressBlock, parseBlock } from '../contract/address-match.ts';
import type { TlsFiles } from '../contract/tls-files.ts';
import { durationMs } from './duration.ts';
import { durationField, flagField, numberField, textField } from './field.ts';
import type { Finding } from './problem.ts';
import { checkHost, checkHostName, checkNetwork, checkOrigin } from './value-checks.ts';

const SECOND = 1_000;

export const serverShape = z.strictObject({
  host: textField(
    'a host',
    '127.0.0.1',
    { description: 'The address at which page, feed and API are served.', default: '127.0.0.1' },
    checkHost,
  ).optional(),
  port: numberField(0, 65_535, { description: 'Its port; 0 takes any free one.', default: 8_080 }).optional(),
  origins: z
    .array(
      textField(
        'an origin',
        'https://panel.example',
        { description: '`scheme://host` or `scheme://host:port`.' },
        checkOrigin,
      ),
    )
    .optional()
    .meta({ description: 'Web pages that may connect besides our own.', default: [] }),
  hosts: z
    .array(
      textField(
        'a host name',
        'bench-3.example',
        { description: 'A host name without port.' },
        checkHostName,
      ),
    )
    .optional()
    .meta({
      description: 'Names by which browsers reach the bridge, besides loopback and `host`.',
      default: [],
    }),
  tls: z
    .strictObject({
      cert: textField(
        'a file',
        'tls/fullchain.pem',
        { description: 'The file of the certificate with its chain, PEM; read again when it changes.' },
        () => undefined,
      ),
      key: textField(
        'a file',
        'tls/privkey.pem',
        {
          description: 'The file of its private key, PEM, without a passphrase; read again when it changes.',
        },
        () => undefined,
      ),
    })
    .optional()
    .meta({ description: 'Page, API and feed are served over TLS with this pair: `https` and `wss`.' }),
  trusted_proxies: z
    .array(
      textField(
        'an address or network',
        '127.0.0.1',
        { description: 'An IP address or a network such as 10.0.0.0/24.' },
        checkNetwork,
      ),
    )
    .optional()
    .meta({
      description:
        'Proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed; those of others are not.',
      default: [],
    }),
  max_connections_per_address: numberField(1, 20_000, {
    description:
      'Subscribers from one address at once, loopback excepted; IPv6 is counted by networks of 64 bits.',
    default: 30,
  }).optional(),
  max_connects_per_second: numberField(1, 10_000, {
    description: 'New connections from one address per second, loopback excepted; six times as many at once.',
    default: 10,
  }).optional(),
  max_requests_per_second: numberField(1, 100_000, {
    description:
      'HTTP requests of one address, and of one token, per second; five times as many at once. More get status 429.',
    default: 100,
  }).optional(),
  max_message_bytes: numberField(1_024, 1_048_576, {
    description: 'The largest message of a client; a larger one ends its connection.',
    default: 65_536,
  }).optional(),
  max_messages_per_second: numberField(1, 10_000, {
    description: 'Messages of one client per second; twice as many at once.',
    default: 100,
  }).optional(),
  max_patterns: numberField(1, 10_000, {
    description: 'Patterns that one client may subscribe to at once.',
    default: 256,
  }).optional(),
  auth_timeout: durationField(SECOND, 300 * SECOND, {
    description: 'How long a client may take to show its token, where one is needed.',
    default: '10s',
  }).optional(),
  flush_window: durationField(1, SECOND, {
    description:
      'Changes wait so long for others that go out with them; without it, only for those of the same moment.',
  }).optional(),
  tcp: z
    .strictObject({
      host: textField(
        'a host',
        '127.0.0.1',
        {
          description: 'The address for JSON lines; whoever reaches it may use the feed.',
          default: '127.0.0.1',
        },
        checkHost,
      ).optional(),
      port: numberField(0, 65_535, { description: 'The port for JSON lines; 0 takes any free one.' }),
      tls: flagField({
        description:
          'JSON lines over TLS with the pair of `server.tls`; so they are where that is given, unless this is `false`.',
      }).optional(),
    })
    .optional()
    .meta({ description: 'The feed as JSON lines over TCP; not served where it is left out.' }),
});

/** Where the feed, the page and the API are served. */
export interface ServerConfig {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** Origins allowed besides our own, as `scheme://host[:port]`. */
  readonly origins: readonly string[];
  /** Host names by which browsers may address us besides loopback and `host`. */
  readonly hosts: readonly string[];
  /** How long a change may wait for others to go out with it. */
  readonly flushWindowMs?: number;
  /** Served over TLS with this pair; absent: in the clear. */
  readonly tls?: TlsFiles;
  /** Proxies whose word on who asks is believed. */
  readonly trustedProxies: readonly AddressBlock[];
  /** Subscribers of one address that is not loopback. */
  readonly maxConnectionsPerAddress: number;
  /** New connections of such an address per second, on average. */
  readonly maxConnectsPerSecond: number;
  /** HTTP requests of one address, and of one token, per second, on average. */
  readonly maxRequestsPerSecond: number;
  /** The largest message of a client. */
  readonly maxMessageBytes: number;
  /** Messages of one client per second, on average. */
  readonly maxMessagesPerSecond: number;
  /** Patterns of one client. */
  readonly maxPatterns: number;
  /** How long a client may go without a token where one is required. */
  readonly authTimeoutMs: number;
  /** Where the feed is served as JSON lines over TCP, if at all. */
  readonly tcp?: LinesConfig;
}

export interface LinesConfig {
  readonly host: string;
  readonly port: number;
  /** With the pair of the server. */
  readonly tls: boolean;
}

/** Fills in what is left out. */
export function completeServer(
  given: z.infer<typeof serverShape>,
  add: (finding: Finding) => void,
): ServerConfig {
  const { host = '127.0.0.1', port = 8_080, origins = [], hosts = [], tls, tcp, flush_window: flush } = given;
  const { trusted_proxies: proxies = [], max_connections_per_address: most = 30 } = given;
  const { max_connects_per_second: rate = 10, max_messages_per_second: messages = 100 } = given;
  const { max_message_bytes: maxMessageBytes = 65_536, max_requests_per_second: requests = 100 } = given;
  const { max_patterns: maxPatterns = 256, auth_timeout: auth = '10s' } = given;
  if (tcp?.tls === true && tls === undefined) {
    add({
      code: 'config_missing_key',
      path: ['server', 'tcp', 'tls'],
      unless: [['server', 'tls']],
      message: 'There is no certificate.',
      fix: 'Add `tls: { cert: ..., key: ... }` below `server:`.',
    });
  }
  const lines = tcp && { host: tcp.host ?? '127.0.0.1', port: tcp.port, tls: tcp.tls ?? tls !== undefined };
  return {
    host,
    port,
    origins,
    hosts,
    trustedProxies: proxies.map(parseBlock).filter((each) => each !== undefined),
    maxConnectionsPerAddress: most,
    maxConnectsPerSecond: rate,
    maxRequestsPerSecond: requests,
    maxMessageBytes,
    maxMessagesPerSecond: messages,
    maxPatterns,
    authTimeoutMs: durationMs(auth),
    ...(tls === undefined ? {} : { tls }),
    ...(lines === undefined ? {} : { tcp: lines }),
    ...(flush === undefined ? {} : { flushWindowMs: durationMs(flush) }),
  };
}
