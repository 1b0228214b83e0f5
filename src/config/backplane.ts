import { dirname, isAbsolute, join } from 'node:path';
import { z } from 'zod';
import { badValue, durationField, numberField, textField } from './field.ts';
import { type ConfigOf, configOf } from './keys.ts';

/* The key `backplane`: several instances with one feed, over Redis or Valkey. */

const MINUTE = 60_000;
const EXAMPLE = 'redis://127.0.0.1:6379';

export const BACKPLANE = {
  url: textField(
    'an address',
    EXAMPLE,
    {
      description: 'The server, Redis 7 or Valkey: `redis://`, with TLS `rediss://`, or `unix:` and a path.',
      examples: [EXAMPLE],
    },
    (text) => {
      if (/^unix:\/[^?]/.test(text)) return undefined;
      const url = URL.canParse(text) ? new URL(text) : undefined;
      if (url === undefined || !['redis:', 'rediss:'].includes(url.protocol))
        return badValue(
          'This is no address of a Redis or Valkey server.',
          `Write for example ${EXAMPLE}, or unix:/run/redis/redis.sock.`,
        );
      if (url.password === '') return undefined;
      return badValue('A password in an address is shown to people.', 'Put it into `password_file`.');
    },
  ),
  instance: textField(
    'a name',
    'north',
    { description: 'The name of this instance, which no other one has.' },
    (text) =>
      /^[A-Za-z0-9._-]{1,64}$/.test(text)
        ? undefined
        : badValue(
            'This cannot name an instance.',
            'Use letters, digits, dots, hyphens and underscores, at most 64 of them.',
          ),
  ),
  lease: durationField(1_000, 10 * MINUTE, {
    description:
      'An instance that was not seen for so long has lost its devices to the others; they are stale until then.',
  }).prefault('10s'),
  prefix: textField(
    'a name',
    'heartwire',
    { description: 'Begins the name of every key, so that several feeds may share one server.' },
    (text) =>
      /^[A-Za-z0-9._-]{1,64}$/.test(text)
        ? undefined
        : badValue('This cannot begin the name of a key.', 'Write a word, such as heartwire.'),
  ).prefault('heartwire'),
  entries: numberField(100, 10_000_000, {
    description:
      'So many entries of each of the 64 streams are kept, roughly; an instance that is further behind reads all documents again.',
  }).prefault(4_096),
  username: textField('a name', 'heartwire', { description: 'With which name to log in.' }).optional(),
  password_file: textField('a file', 'redis.password', {
    description: 'The file of the password.',
  }).optional(),
  ca_file: textField('a file', 'ca.pem', {
    description:
      'The certificates of the authority that signed that of the server, where it is not a public one.',
  }).optional(),
};

export const backplaneShape = z.strictObject(BACKPLANE);

export type BackplaneConfig = ConfigOf<typeof BACKPLANE>;

/** Files count from the folder of `file`, the configuration. */
export function completeBackplane(given: z.output<typeof backplaneShape>, file: string): BackplaneConfig {
  const config = configOf(BACKPLANE, given);
  const beside = (name: string | undefined) =>
    name === undefined || isAbsolute(name) ? name : join(dirname(file), name);
  const [passwordFile, caFile] = [beside(config.passwordFile), beside(config.caFile)];
  return {
    ...config,
    ...(passwordFile === undefined ? {} : { passwordFile }),
    ...(caFile === undefined ? {} : { caFile }),
  };
}
