import { isIPv4, isIPv6 } from 'node:net';
import {
  type AddressProblem,
  type LinkAddress,
  type ListenAddress,
  type Parsed,
  refuse,
  type SerialSettings,
} from './address.ts';
import { DEFAULT_SERIAL_SETTINGS, parseSerialAddress } from './parse-serial-address.ts';

const TCP_MEND = 'Write tcp:HOST:PORT, for example tcp:10.0.0.7:9089 or tcp:[fe80::1%eth0]:9089.';
const LISTEN_MEND =
  'Write tcp-listen:HOST:PORT, for example tcp-listen:127.0.0.1:9089, or tcp-listen:0.0.0.0:9089 for every network.';
const SCHEMES_MEND =
  'Links begin with tcp:, serial:, tcp-listen: or replay:, for example tcp:10.0.0.7:9089 or serial:/dev/ttyUSB0?baud=115200-8N1.';

/** `\\.\COM10` and `\\?\...` are Windows device paths; `COM3` is one even with the colon that DOS puts behind it. */
const BARE_PORT = /^(\/|\\\\|\.{1,2}\/|COM\d+:?(\?|$))/i;
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/)?(.*)$/s;
const SCHEME_NAMES: ReadonlySet<string> = new Set(
  'tcp tcp-listen serial replay udp telnet rfc2217 http https ws wss ssh unix mqtt modbus'.split(' '),
);
const PORT = /^\d{1,5}$/;

/**
 * Reads what a device can be dialled by: `tcp:host:port`, `serial:...`, or the bare path of a serial port. What the
 * text says of the serial settings wins over `settings`.
 */
export function parseLinkAddress(
  text: string,
  settings: SerialSettings = DEFAULT_SERIAL_SETTINGS,
): Parsed<LinkAddress> {
  const link = text.trim();
  if (BARE_PORT.test(link)) return parseSerialAddress(link, settings);
  const scheme = splitScheme(link);
  if (scheme === undefined) return refuseBare(link);
  switch (scheme.name) {
    case 'tcp': {
      const endpoint = parseEndpoint(scheme.rest, 1, TCP_MEND);
      return endpoint.ok ? { ok: true, value: { scheme: 'tcp', ...endpoint.value } } : endpoint;
    }
    case 'serial':
      return parseSerialAddress(scheme.rest, settings);
    case 'replay':
      return parseReplayAddress(scheme.rest);
    case 'tcp-listen':
      return refuse(
        'A device is dialled, and tcp-listen: waits to be dialled.',
        'Move this link to `listeners:`, and give the device a `match:` instead.',
      );
    default:
      return refuseScheme(scheme.name);
  }
}

/** Reads an address to listen at: `tcp-listen:host:port`; port 0 takes any free one. */
export function parseListenAddress(text: string): Parsed<ListenAddress> {
  const link = text.trim();
  const scheme = splitScheme(link);
  if (scheme === undefined) {
    return PORT.test(link) || splitEndpoint(link) !== undefined
      ? refuse(
          'The link does not say that it listens.',
          `Write tcp-listen:${PORT.test(link) ? `127.0.0.1:${link}` : link}.`,
        )
      : refuse('This is no address to listen at.', LISTEN_MEND);
  }
  if (scheme.name === 'tcp-listen') {
    const endpoint = parseEndpoint(scheme.rest, 0, LISTEN_MEND);
    return endpoint.ok ? { ok: true, value: { scheme: 'tcp-listen', ...endpoint.value } } : endpoint;
  }
  if (scheme.name === 'tcp') {
    return refuse('tcp: dials, and a listener waits to be dialled.', `Write tcp-listen:${scheme.rest}.`);
  }
  if (scheme.name === 'serial') {
    return refuse('Nobody can dial in over a serial line.', 'Give the port as `link:` of a device.');
  }
  return refuseScheme(scheme.name);
}

function splitScheme(link: string): { readonly name: string; readonly rest: string } | undefined {
  const found = SCHEME.exec(link);
  const [, name, rest] = found ?? [];
  if (name === undefined || rest === undefined) return undefined;
  // `localhost:9089` looks like a scheme and is none.
  const lower = name.toLowerCase();
  if (PORT.test(rest) && !SCHEME_NAMES.has(lower)) return undefined;
  return { name: lower, rest };
}

function refuseBare(link: string): { readonly ok: false } & AddressProblem {
  if (link === '') return refuse('The link is empty.', SCHEMES_MEND);
  if (splitEndpoint(link) !== undefined) {
    return refuse('The link does not say how to get there.', `Write tcp:${link}.`);
  }
  if (/^(dev\/|tty|cu\.)/.test(link)) {
    return refuse('The path of a serial port must be absolute.', `Write /dev/${link.replace(/^dev\//, '')}.`);
  }
  return refuse('This is no link.', SCHEMES_MEND);
}

function refuseScheme(name: string): { readonly ok: false } & AddressProblem {
  if (name === 'replay') {
    return refuse(
      'A trace is played by a device, and nobody dials in from it.',
      'Give it as `link:` of a device.',
    );
  }
  return refuse(`Links of the kind "${name}:" are not known.`, SCHEMES_MEND);
}

function parseReplayAddress(rest: string): Parsed<LinkAddress> {
  const fix = 'Write replay:FILE.trace, or replay:FILE.trace?speed=10.';
  const [, path = '', , option] = /^(.*?)(\?(.*))?$/s.exec(rest) ?? [];
  if (path === '') return refuse('The file of the trace is missing.', fix);
  if (option === undefined) return { ok: true, value: { scheme: 'replay', path, speed: 1 } };
  const [, text] = /^speed=(\d{1,6}(?:\.\d{1,3})?)$/.exec(option) ?? [];
  const speed = Number(text ?? 0);
  if (speed > 0) return { ok: true, value: { scheme: 'replay', path, speed } };
  return refuse('Behind the question mark stands the speed, a number above 0.', fix);
}

interface Endpoint {
  readonly host: string;
  readonly port: number;
}

/** The text before and behind the last colon, where the latter looks like a port. */
function splitEndpoint(text: string): readonly [string, string] | undefined {
  const colon = text.lastIndexOf(':');
  const host = text.slice(0, colon);
  const port = text.slice(colon + 1);
  return colon > 0 && PORT.test(port) && !/[\s/\\]/.test(host) ? [host, port] : undefined;
}

function parseEndpoint(rest: string, lowestPort: number, fix: string): Parsed<Endpoint> {
  const text = rest.endsWith('/') ? rest.slice(0, -1) : rest;
  if (text === '') return refuse('Host and port are missing.', fix);
  if (text.includes('?')) return refuse('A TCP link takes no options behind a question mark.', fix);
  const bracketed = /^\[([^\]]*)\](?::(.*))?$/s.exec(text);
  if (bracketed !== null) {
    const [, host = '', port] = bracketed;
    if (!isIPv6(host)) return refuse(`"${host}" is no IPv6 address.`, fix);
    return withPort(host, port, lowestPort, fix);
  }
  if (PORT.test(text)) return refuse('The host is missing.', fix);
  if (isIPv6(text) || text.indexOf(':') !== text.lastIndexOf(':')) {
    return refuse('An IPv6 address needs brackets, else its end looks like a port.', fix);
  }
  const colon = text.indexOf(':');
  const host = colon < 0 ? text : text.slice(0, colon);
  const port = colon < 0 ? undefined : text.slice(colon + 1);
  if (host === '') return refuse('The host is missing.', fix);
  if (host === '*') return refuse('"*" is no host.', fix);
  if (/^[\d.]+$/.test(host) && !isIPv4(host)) return refuse(`"${host}" is no IPv4 address.`, fix);
  if (
    !/^[\p{L}\p{N}_]([\p{L}\p{N}_.-]*[\p{L}\p{N}_.])?$/u.test(host) ||
    host.length > 253 ||
    host.includes('..')
  ) {
    return refuse(`"${host}" is no host name.`, fix);
  }
  return withPort(host, port, lowestPort, fix);
}

function withPort(host: string, text: string | undefined, lowest: number, fix: string): Parsed<Endpoint> {
  if (text === undefined || text === '') return refuse('The port is missing.', fix);
  const port = Number(text);
  if (!PORT.test(text)) return refuse(`"${text}" is no port.`, `Ports are numbers from ${lowest} to 65535.`);
  if (port < lowest || port > 65_535) {
    return refuse(`Port ${text} does not exist.`, `Ports go from ${lowest} to 65535.`);
  }
  return { ok: true, value: { host, port } };
}
