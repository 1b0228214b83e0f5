import { parseBlock } from '../contract/index.ts';
import { formatHostPort, parseListenAddress } from '../links/index.ts';
import { suggest } from '../system/index.ts';
import { badValue, type FieldFinding } from './field.ts';

type Check = (text: string) => FieldFinding | undefined;

/** Ids stand in topics, in URLs and in file names. */
export const checkId: Check = (text) => {
  if (/^[A-Za-z0-9._-]{1,64}$/.test(text) && text !== '.' && text !== '..') return undefined;
  const plain = text.replace(/[^A-Za-z0-9._-]+/g, '-').slice(0, 64);
  return badValue(
    text.length > 64
      ? 'The id is longer than 64 characters.'
      : 'The id holds characters that a topic or URL cannot carry.',
    `Use letters, digits, dot, underscore and hyphen${/[A-Za-z0-9]/.test(plain) ? `, for example ${plain}` : ''}.`,
  );
};

/** The time zone is looked up in this machine's own table, which is the one that will be used. */
export const checkTimeZone: Check = (text) => {
  if (isTimeZone(text)) return undefined;
  const meant = suggest(text, Intl.supportedValuesOf('timeZone'));
  return badValue(
    'This time zone is not known.',
    `${meant === undefined ? '' : `Did you mean ${meant}? `}Write an IANA name, for example Europe/Berlin, Asia/Shanghai or UTC.`,
  );
};

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    // Intl has no question to ask, only an exception for those that it does not know.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

export const checkNetwork: Check = (text) =>
  parseBlock(text) === undefined
    ? badValue(
        'This is neither an IP address nor a network.',
        'Write for example 10.0.0.7, 10.0.0.0/24 or fd00::/8.',
      )
    : undefined;

export const checkHost: Check = (text) => {
  if (text === '*') return badValue('"*" is no host.', 'Write 0.0.0.0 for every network of this machine.');
  if (parseListenAddress(`tcp-listen:${formatHostPort(text, 0)}`).ok) return undefined;
  return badValue(
    'This is no host.',
    'Write an address of this machine without port or brackets, for example 127.0.0.1, 0.0.0.0 or ::1.',
  );
};

export const checkHostName: Check = (text) => {
  if (checkHost(text) === undefined) return undefined;
  return badValue(
    'This is no host name.',
    'Write the name alone, without scheme, port or path, for example bench-3.example.',
  );
};

export const checkOrigin: Check = (text) => {
  const fix =
    'Write scheme, host and, where it is not the usual one, port: for example https://panel.example:8443.';
  if (text === '*')
    return badValue('Every web page of the world could use the bridge.', 'Name the origins one by one.');
  if (!URL.canParse(text)) return badValue('This is no origin.', fix);
  const url = new URL(text);
  const plain = `${url.protocol}//${url.host}`;
  if (url.host === '') return badValue('This is no origin.', fix);
  return plain === text
    ? undefined
    : badValue('This is more than an origin, or not as a browser writes it.', `Write ${plain}.`);
};
