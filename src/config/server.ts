import { z } from 'zod';
import { durationMs } from './duration.ts';
import { durationField, numberField, textField } from './field.ts';
import { checkHost, checkHostName, checkOrigin } from './value-checks.ts';

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
    })
    .optional()
    .meta({ description: 'The feed as JSON lines over plain TCP; not served where it is left out.' }),
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
  /** Where the feed is served as JSON lines over plain TCP, if at all. */
  readonly tcp?: { readonly host: string; readonly port: number };
}

export function completeServer(given: z.infer<typeof serverShape>): ServerConfig {
  const { host = '127.0.0.1', port = 8_080, origins = [], hosts = [], tcp, flush_window: flush } = given;
  const lines = tcp === undefined ? {} : { tcp: { host: tcp.host ?? '127.0.0.1', port: tcp.port } };
  const window = flush === undefined ? {} : { flushWindowMs: durationMs(flush) };
  return { host, port, origins, hosts, ...lines, ...window };
}
