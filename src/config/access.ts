import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { highestRole, isRole, ROLES, type Role } from '../contract/index.ts';
import { patternProblem } from '../contract/wire/index.ts';
import { suggest } from '../system/index.ts';
import { badValue, flagField, oneOrMoreField, textField } from './field.ts';
import { completeJwt, type JwtConfig, jwtShape } from './jwt.ts';
import type { Finding } from './problem.ts';
import type { ServerConfig } from './server.ts';

const MAX_TOPICS = 64;

/** A token that is written down, as its hash. */
export interface StaticToken {
  readonly name: string;
  /** SHA-256 of the token, 64 hex digits. */
  readonly hash: string;
  readonly role: Role;
  readonly topics: readonly string[];
  /** Ms since the Unix epoch. */
  readonly expiresAtMs?: number;
}

/** Who may use the bridge. */
export interface AccessConfig {
  readonly tokens: readonly StaticToken[];
  readonly jwt?: JwtConfig;
  /** No token is asked for. */
  readonly insecure: boolean;
}

const roles = oneOrMoreField(
  'a role',
  'read',
  {
    description:
      '`read` receives, `command` also sends commands and broadcasts, `admin` also closes the connections of others.',
    examples: ['read', ['read', 'command']],
  },
  (text) => {
    if (isRole(text)) return undefined;
    const meant = suggest(text, ROLES);
    return badValue(
      'There is no such role.',
      `${meant === undefined ? '' : `Did you mean ${meant}? `}Write read, command or admin.`,
    );
  },
);

const topics = oneOrMoreField(
  'a pattern of topics',
  '"devices/psu-1/#"',
  {
    description:
      'Patterns of the topics that it may receive; everything beyond them is refused. `"#"` is all.',
    examples: ['#', ['devices/psu-1/#', 'bridge/status']],
  },
  (text) => {
    const problem = patternProblem(text);
    return problem === undefined
      ? undefined
      : badValue(`This is no pattern: ${problem}.`, 'Write for example "devices/psu-1/#" or "#", in quotes.');
  },
);

const tokenShape = z.strictObject({
  name: textField(
    'the name of the token',
    'panel',
    { description: 'Its name, for the log and for sessions; no other token has it.', examples: ['panel'] },
    (text) =>
      /^[A-Za-z0-9._@-]{1,64}$/.test(text)
        ? undefined
        : badValue(
            'This is no name of a token.',
            'Use 1 to 64 letters, digits, dots, underscores, hyphens or @.',
          ),
  ),
  hash: textField(
    'the hash of the token',
    'sha256:... as `heartwire token` prints it',
    {
      description: 'SHA-256 of the token, as `heartwire token` prints it; the token itself stands nowhere.',
      pattern: '^sha256:[0-9a-f]{64}$',
    },
    (text) =>
      /^sha256:[0-9a-f]{64}$/.test(text)
        ? undefined
        : badValue(
            'This is no hash of a token.',
            'Make a token with `heartwire token`, and paste the lines that it prints; a token itself does not belong here.',
          ),
  ),
  roles,
  topics,
  expires: textField(
    'a date',
    '"2027-01-31"',
    {
      description: 'It ends at the beginning of this day in UTC, or at this instant.',
      examples: ['2027-01-31', '2027-01-31T12:00:00Z'],
    },
    (text) =>
      readDate(text) === undefined
        ? badValue('This is no date.', 'Write for example 2027-01-31, or 2027-01-31T12:00:00Z.')
        : undefined,
  ).optional(),
});

/** The key `access`, as it is written. */
export const accessShape = z.strictObject({
  tokens: z.array(tokenShape).optional().meta({ description: 'Tokens that are written down.' }),
  jwt: jwtShape.optional().meta({ description: 'Tokens that another party signs: JSON Web Tokens.' }),
  insecure: flagField({
    description: '`true` lets every program in that can reach the bridge, without a token, off loopback too.',
  }).prefault(false),
});

/** Fills in what is left out; files lie beside the configuration `file`. */
export function completeAccess(
  given: z.output<typeof accessShape>,
  file: string,
  add: (finding: Finding) => void,
): AccessConfig {
  const { tokens = [], jwt, insecure } = given;
  for (const key of ['name', 'hash'] as const) {
    for (const [index, token] of tokens.entries()) {
      if (tokens.findIndex((each) => each[key] === token[key]) === index) continue;
      add({
        code: 'config_conflict',
        path: ['access', 'tokens', index, key],
        message: `Another token has the same ${key}.`,
        fix: key === 'name' ? 'Give it another name.' : 'Make a token of its own with `heartwire token`.',
      });
    }
  }
  for (const [index, token] of tokens.entries()) {
    if (token.topics.length <= MAX_TOPICS) continue;
    add({
      code: 'config_bad_value',
      path: ['access', 'tokens', index, 'topics'],
      message: `A token has at most ${MAX_TOPICS} patterns.`,
      fix: 'Use wildcards, or make several tokens.',
    });
  }
  if (insecure && (tokens.length > 0 || jwt !== undefined)) {
    add({
      code: 'config_conflict',
      path: ['access', 'insecure'],
      message: 'With `insecure: true` no token is asked for, and some are configured.',
      fix: 'Remove `insecure: true`, or the tokens.',
    });
  }
  const beside = (path: string) => (isAbsolute(path) ? path : join(dirname(file), path));
  return {
    tokens: tokens.map((token) => completeToken(token)),
    ...(jwt === undefined ? {} : { jwt: completeJwt(jwt, beside, add) }),
    insecure,
  };
}

function completeToken(given: z.infer<typeof tokenShape>): StaticToken {
  const expiresAtMs = given.expires === undefined ? undefined : readDate(given.expires);
  return {
    name: given.name,
    hash: given.hash.slice('sha256:'.length),
    // Its check admits no list that is empty, and nothing in it that is no role.
    role: highestRole(given.roles.filter(isRole)) ?? 'read',
    topics: given.topics,
    ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
  };
}

/** Whether a token is asked for. */
export function asksForToken(access: AccessConfig | undefined): boolean {
  return access !== undefined && !access.insecure && (access.tokens.length > 0 || access.jwt !== undefined);
}

/** Where the feed would be open to the network without any token: the key and its host; undefined where it is not. */
export function openToNetwork(
  server: Pick<ServerConfig, 'host' | 'tcp' | 'trustedProxies'>,
  access: AccessConfig | undefined,
):
  | { readonly key: 'server.host' | 'server.tcp.host' | 'server.trusted_proxies'; readonly host: string }
  | undefined {
  if (asksForToken(access)) return undefined;
  if (!isLoopbackHost(server.host)) return { key: 'server.host', host: server.host };
  if (server.tcp !== undefined && !isLoopbackHost(server.tcp.host)) {
    return { key: 'server.tcp.host', host: server.tcp.host };
  }
  // A program that reaches the proxy reaches the bridge, wherever that listens.
  return server.trustedProxies.length === 0
    ? undefined
    : { key: 'server.trusted_proxies', host: 'a proxy of server.trusted_proxies' };
}

/** What to do about it, in one sentence. */
export const CLOSE_TO_NETWORK =
  'Make a token with `heartwire token` and add it below `access:`, serve 127.0.0.1 only, or spell out `access: { insecure: true }`.';

/** Reports where the bridge may be used without a token; an error unless `insecure` is spelled out. */
export function checkOpenness(
  server: ServerConfig,
  access: AccessConfig | undefined,
  add: (finding: Finding) => void,
): void {
  const open = openToNetwork(server, access);
  if (open === undefined) return;
  const insecure = access?.insecure === true;
  add({
    ...(insecure ? { severity: 'warning' } : {}),
    code: 'config_insecure',
    path: open.key.split('.'),
    unless: [['access']],
    message: `Every program that reaches ${open.host} may use the bridge without a token.`,
    fix: insecure ? 'Make a token with `heartwire token` unless that is what you want.' : CLOSE_TO_NETWORK,
  });
}

function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase().replace(/^::ffff:/, '');
  return name === 'localhost' || name === '::1' || /^127(\.\d{1,3}){3}$/.test(name);
}

/** A day, or an instant in UTC, that exists, in ms since the epoch; undefined for everything else. */
export function readDate(text: string): number | undefined {
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?Z)?$/.test(text)) return undefined;
  const ms = Date.parse(text);
  // The 30th of February would be read as a day in March.
  return Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(text.slice(0, 10)) ? undefined : ms;
}
