import { type Parsed, refuse } from './address.ts';

/** How a serial port is found: by path, or by what stays the same when it is plugged in again; never by index. */
export type SerialSelector =
  | { readonly by: 'path'; readonly path: string }
  /** USB vendor and product id, four lower-case hex digits each. */
  | { readonly by: 'usb'; readonly vendorId: string; readonly productId: string }
  | { readonly by: 'usb_serial'; readonly serialNumber: string }
  /** A name below `/dev/serial/by-id/`. */
  | { readonly by: 'by_id'; readonly name: string };

export interface SerialSettings {
  readonly baud: number;
  readonly dataBits: 5 | 6 | 7 | 8;
  readonly stopBits: 1 | 1.5 | 2;
  readonly parity: 'none' | 'even' | 'odd' | 'mark' | 'space';
  readonly rtscts: boolean;
  readonly xon: boolean;
  readonly xoff: boolean;
  /** Modem lines set when the port is opened; absent: left as they are. */
  readonly dtr?: boolean;
  readonly rts?: boolean;
  /** Drop the modem lines when the port is closed. */
  readonly hupcl: boolean;
}

/** A serial port and how it is spoken to. */
export interface SerialAddress {
  readonly scheme: 'serial';
  readonly port: SerialSelector;
  readonly settings: SerialSettings;
}

/** A serial port as the part of an address that names it. */
export function selectorLabel(port: SerialSelector): string {
  switch (port.by) {
    case 'path':
      return port.path;
    case 'usb':
      return `usb=${port.vendorId}:${port.productId}`;
    case 'usb_serial':
      return `usb_serial=${port.serialNumber}`;
    case 'by_id':
      return `by_id=${port.name}`;
  }
}

/** How a serial line is spoken to where nothing else is said: 115200-8N1, no flow control, modem lines left alone. */
export const DEFAULT_SERIAL_SETTINGS: SerialSettings = {
  baud: 115_200,
  dataBits: 8,
  stopBits: 1,
  parity: 'none',
  rtscts: false,
  xon: false,
  xoff: false,
  hupcl: true,
};

/** The highest speed that is taken; serial hardware ends far below. */
export const HIGHEST_BAUD = 20_000_000;

const PARITY_BY_LETTER = { N: 'none', E: 'even', O: 'odd', M: 'mark', S: 'space' } as const;
const FRAMING = /^([5-8])([NEOMS])(1|1\.5|2)$/i;
const FLAGS = ['rtscts', 'xon', 'xoff', 'dtr', 'rts', 'hupcl'] as const;
const OPTIONS = ['baud', 'data_bits', 'stop_bits', 'parity', ...FLAGS];

type Change = Partial<SerialSettings>;

/** Reads what follows `serial:`, or a bare path: a path or selector, then `?baud=115200-8N1&...`. */
export function parseSerialAddress(text: string, settings: SerialSettings): Parsed<SerialAddress> {
  // The question mark of a Windows path like `\\?\COM10` begins no options.
  const mark = text.lastIndexOf('?');
  const hasOptions = mark >= 0 && !(mark === 2 && text.startsWith('\\\\?\\'));
  const port = parseSelector(hasOptions ? text.slice(0, mark) : text);
  if (!port.ok) return port;
  const change = parseSerialOptions(hasOptions ? text.slice(mark + 1) : '');
  if (!change.ok) return change;
  return {
    ok: true,
    value: { scheme: 'serial', port: port.value, settings: { ...settings, ...change.value } },
  };
}

function parseSelector(text: string): Parsed<SerialSelector> {
  const found = /^([A-Za-z_]+)=(.*)$/s.exec(text);
  if (hasControl(text)) return refuse('The name of the port holds a control character.', 'Remove it.');
  if (found === null) return parsePath(text);
  const [, by = '', value = ''] = found;
  if (value === '') return refuse(`Behind "${by}=" nothing follows.`, SELECTOR_FIX);
  switch (by) {
    case 'usb': {
      const [, vendorId, productId] = /^([0-9a-f]{4}):([0-9a-f]{4})$/.exec(value.toLowerCase()) ?? [];
      return vendorId === undefined || productId === undefined
        ? refuse(
            `"${value}" is no USB id.`,
            'Write vendor and product in four hex digits each, as in usb=0403:6001.',
          )
        : { ok: true, value: { by: 'usb', vendorId, productId } };
    }
    case 'usb_serial':
      return { ok: true, value: { by: 'usb_serial', serialNumber: value } };
    case 'by_id':
      return value.includes('/')
        ? refuse(
            'by_id takes a name, not a path.',
            `Write serial:by_id=${value.slice(value.lastIndexOf('/') + 1)}.`,
          )
        : { ok: true, value: { by: 'by_id', name: value } };
    default:
      return refuse(`Ports cannot be found by "${by}".`, SELECTOR_FIX);
  }
}

const SELECTOR_FIX =
  'Write a path (/dev/ttyUSB0, COM3), usb=0403:6001, usb_serial=FT1234 or by_id=NAME; never an index, which changes.';

function parsePath(text: string): Parsed<SerialSelector> {
  const path = /^COM\d+:$/i.test(text) ? text.slice(0, -1) : text;
  if (path === '') return refuse('The serial port is missing.', SELECTOR_FIX);
  if (/^\d+$/.test(path)) return refuse('A serial port is not named by its index.', SELECTOR_FIX);
  if (path.startsWith('dev/'))
    return refuse('The path of a serial port must be absolute.', `Write serial:/${path}.`);
  return { ok: true, value: { by: 'path', path } };
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x20 || code === 0x7f) return true;
  }
  return false;
}

/** Reads what stands behind the question mark: `baud=9600-8E1&dtr=off`. */
export function parseSerialOptions(text: string): Parsed<Change> {
  let change: Change = {};
  for (const option of text.split('&')) {
    if (option === '') continue;
    const equals = option.indexOf('=');
    const name = equals < 0 ? option : option.slice(0, equals);
    const parsed = parseOption(name, equals < 0 ? undefined : option.slice(equals + 1));
    if (!parsed.ok) return parsed;
    for (const key of Object.keys(parsed.value)) {
      if (Object.hasOwn(change, key)) {
        return refuse(`The options say twice what "${name}" says.`, 'Remove one of the two.');
      }
    }
    change = { ...change, ...parsed.value };
  }
  return { ok: true, value: change };
}

function parseOption(name: string, value: string | undefined): Parsed<Change> {
  const flag = FLAGS.find((each) => each === name);
  if (flag !== undefined) {
    if (value === undefined || /^(true|on|1)$/.test(value)) return { ok: true, value: { [flag]: true } };
    if (/^(false|off|0)$/.test(value)) return { ok: true, value: { [flag]: false } };
    return refuse(`"${value}" is neither true nor false.`, `Write ${name}=true or ${name}=false.`);
  }
  switch (name) {
    case 'baud':
      return parseBaud(value ?? '');
    case 'data_bits': {
      const dataBits = ([5, 6, 7, 8] as const).find((each) => String(each) === value);
      return dataBits === undefined
        ? refuse(`"${value ?? ''}" data bits do not exist.`, 'Write 5, 6, 7 or 8.')
        : { ok: true, value: { dataBits } };
    }
    case 'stop_bits': {
      const stopBits = ([1, 1.5, 2] as const).find((each) => String(each) === value);
      return stopBits === undefined
        ? refuse(`"${value ?? ''}" stop bits do not exist.`, 'Write 1, 1.5 or 2.')
        : { ok: true, value: { stopBits } };
    }
    case 'parity': {
      const parity = Object.values(PARITY_BY_LETTER).find((each) => each === value);
      return parity === undefined
        ? refuse(`"${value ?? ''}" is no parity.`, 'Write none, even, odd, mark or space.')
        : { ok: true, value: { parity } };
    }
    default:
      return refuse(`Serial links have no option "${name}".`, `They have ${OPTIONS.join(', ')}.`);
  }
}

/** Reads `115200`, or `115200-8N1` with data bits, parity and stop bits. */
export function parseBaud(text: string): Parsed<Change> {
  const dash = text.indexOf('-');
  const speed = dash < 0 ? text : text.slice(0, dash);
  const baud = Number(speed);
  if (!/^\d{1,9}$/.test(speed) || baud < 1 || baud > HIGHEST_BAUD) {
    return refuse(`"${speed}" is no baud rate.`, 'Write for example 9600, 115200 or 115200-8N1.');
  }
  if (dash < 0) return { ok: true, value: { baud } };
  const framing = text.slice(dash + 1);
  const [, data, letter, stop] = FRAMING.exec(framing) ?? [];
  const dataBits = ([5, 6, 7, 8] as const).find((each) => String(each) === data);
  const stopBits = ([1, 1.5, 2] as const).find((each) => String(each) === stop);
  const parity = Object.entries(PARITY_BY_LETTER).find(([each]) => each === letter?.toUpperCase())?.[1];
  if (dataBits === undefined || stopBits === undefined || parity === undefined) {
    return refuse(
      `"${framing}" names no data bits, parity and stop bits.`,
      'Write data bits (5 to 8), parity (N, E, O, M, S) and stop bits (1, 1.5, 2), for example 8N1 or 7E2.',
    );
  }
  return { ok: true, value: { baud, dataBits, stopBits, parity } };
}
