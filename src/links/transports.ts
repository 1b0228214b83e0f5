import type { Transport } from '../contract/index.ts';
import {
  type AddressProblem,
  formatHostPort,
  looksLikePort,
  type Parsed,
  parseEndpoint,
  refuse,
  splitEndpoint,
} from './address.ts';
import type { Link, Listener } from './link.ts';
import type { DialOptions, LinkTransport } from './link-transport.ts';
import { replay } from './replay.ts';
import { rfc2217 } from './rfc2217/rfc2217.ts';
import { serial } from './serial.ts';
import { DEFAULT_SERIAL_SETTINGS, type SerialSettings } from './serial-address.ts';
import { tcp } from './tcp.ts';
import { type TcpListenAddress, TcpListener } from './tcp-listen.ts';
import { udp } from './udp.ts';
import { type UdpListenAddress, UdpListener, type UdpListenerOptions, udpListenLabel } from './udp-listen.ts';
import { unix } from './unix.ts';

/** Every transport that a device can be dialled by, under the scheme of its addresses. */
const TRANSPORTS = { tcp, serial, replay, udp, unix, rfc2217 } satisfies {
  readonly [T in Transport]: LinkTransport<{ readonly scheme: T }>;
};

type AddressOf<T> = T extends LinkTransport<infer A> ? A : never;

/** What a device can be dialled by. */
export type LinkAddress = AddressOf<(typeof TRANSPORTS)[Transport]>;

/** A fresh, unopened link to a device. */
export function dial(address: LinkAddress, options: DialOptions = {}): Link {
  return transportOf(address).dial(address, options);
}

/** Where devices dial in. */
export type ListenAddress = TcpListenAddress | UdpListenAddress;

export function isListenAddress(address: LinkAddress | ListenAddress): address is ListenAddress {
  return address.scheme === 'tcp-listen' || address.scheme === 'udp-listen';
}

/** How the links of a listener are carried. */
export const acceptedTransport = ({ scheme }: ListenAddress): Transport =>
  scheme === 'udp-listen' ? 'udp' : 'tcp';

/** A fresh, unstarted listener. */
export function listen(address: ListenAddress, options: UdpListenerOptions = {}): Listener {
  return address.scheme === 'udp-listen'
    ? new UdpListener(address, options)
    : new TcpListener(address, options.names);
}

/** Where an address leads, for people and state documents: `10.0.0.7:9089`, `[::1]:9089`, `/dev/ttyUSB0`, `usb=0403:6001`. */
export function addressLabel(address: LinkAddress | ListenAddress): string {
  if (address.scheme === 'udp-listen') return udpListenLabel(address);
  return address.scheme === 'tcp-listen'
    ? formatHostPort(address.host, address.port)
    : transportOf(address).label(address);
}

function transportOf(address: LinkAddress): LinkTransport<LinkAddress> {
  return TRANSPORTS[address.scheme];
}

function isTransport(name: string): name is Transport {
  return Object.hasOwn(TRANSPORTS, name);
}

const LISTEN_FIX =
  'Write tcp-listen:HOST:PORT, for example tcp-listen:127.0.0.1:9089, or tcp-listen:0.0.0.0:9089 for every network; udp-listen:HOST:PORT takes datagrams.';
const SCHEMES_FIX =
  'Links begin with tcp:, serial:, udp:, unix:, rfc2217: or replay:, and those of listeners with tcp-listen: or udp-listen:; for example tcp:10.0.0.7:9089 or serial:/dev/ttyUSB0?baud=115200-8N1.';

/** `\\.\COM10` and `\\?\...` are Windows device paths; `COM3` is one even with the colon that DOS puts behind it. */
const BARE_PORT = /^(\/|\\\\|\.{1,2}\/|COM\d+:?(\?|$))/i;
const SCHEME = /^([A-Za-z][A-Za-z0-9+.-]*):(?:\/\/)?(.*)$/s;
const SCHEME_NAMES: ReadonlySet<string> = new Set(
  'tcp tcp-listen udp-listen serial replay udp telnet rfc2217 http https ws wss ssh unix mqtt modbus'.split(
    ' ',
  ),
);

/**
 * Reads what a device can be dialled by: `tcp:host:port`, `serial:...`, or the bare path of a serial port. What the
 * text says of the serial settings wins over `settings`.
 */
export function parseLinkAddress(
  text: string,
  settings: SerialSettings = DEFAULT_SERIAL_SETTINGS,
): Parsed<LinkAddress> {
  const link = text.trim();
  if (BARE_PORT.test(link)) return serial.parse(link, settings);
  const scheme = splitScheme(link);
  if (scheme === undefined) return refuseBare(link);
  if (isTransport(scheme.name)) return TRANSPORTS[scheme.name].parse(scheme.rest, settings);
  return isListener(scheme.name)
    ? refuse(
        `A device is dialled, and ${scheme.name}: waits to be dialled.`,
        'Move this link to `listeners:`, and give the device a `match:` instead.',
      )
    : refuseScheme(scheme.name);
}

/** Reads an address to listen at: `tcp-listen:host:port`; port 0 takes any free one. */
export function parseListenAddress(text: string): Parsed<ListenAddress> {
  const link = text.trim();
  const scheme = splitScheme(link);
  if (scheme === undefined) {
    return looksLikePort(link) || splitEndpoint(link) !== undefined
      ? refuse(
          'The link does not say that it listens.',
          `Write tcp-listen:${looksLikePort(link) ? `127.0.0.1:${link}` : link}.`,
        )
      : refuse('This is no address to listen at.', LISTEN_FIX);
  }
  if (isListener(scheme.name)) {
    const endpoint = parseEndpoint(scheme.rest, 0, LISTEN_FIX);
    return endpoint.ok ? { ok: true, value: { scheme: scheme.name, ...endpoint.value } } : endpoint;
  }
  if (scheme.name === 'tcp' || scheme.name === 'udp') {
    return refuse(
      `${scheme.name}: dials, and a listener waits to be dialled.`,
      `Write ${scheme.name}-listen:${scheme.rest}.`,
    );
  }
  if (scheme.name === 'serial') {
    return refuse('No device can dial in over a serial line.', 'Give the port as `link:` of a device.');
  }
  return refuseScheme(scheme.name);
}

const isListener = (name: string): name is ListenAddress['scheme'] =>
  name === 'tcp-listen' || name === 'udp-listen';

function splitScheme(link: string): { readonly name: string; readonly rest: string } | undefined {
  const found = SCHEME.exec(link);
  const [, name, rest] = found ?? [];
  if (name === undefined || rest === undefined) return undefined;
  // `localhost:9089` looks like a scheme and is none.
  const lower = name.toLowerCase();
  if (looksLikePort(rest) && !SCHEME_NAMES.has(lower)) return undefined;
  return { name: lower, rest };
}

function refuseBare(link: string): { readonly ok: false } & AddressProblem {
  if (link === '') return refuse('The link is empty.', SCHEMES_FIX);
  if (splitEndpoint(link) !== undefined) {
    return refuse('The link does not say how to get there.', `Write tcp:${link}.`);
  }
  if (/^(dev\/|tty|cu\.)/.test(link)) {
    return refuse('The path of a serial port must be absolute.', `Write /dev/${link.replace(/^dev\//, '')}.`);
  }
  return refuse('This is no link.', SCHEMES_FIX);
}

function refuseScheme(name: string): { readonly ok: false } & AddressProblem {
  if (name === 'replay') {
    return refuse(
      'A trace is played by a device, and no device dials in from it.',
      'Give it as `link:` of a device.',
    );
  }
  return refuse(`Links of the kind "${name}:" are not known.`, SCHEMES_FIX);
}
