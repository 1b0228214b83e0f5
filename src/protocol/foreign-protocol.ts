import { asciiText } from './describe.ts';

const HTTP_STARTS: readonly string[] = [
  'GET ',
  'POST',
  'PUT ',
  'HEAD',
  'OPTI',
  'DELE',
  'PATC',
  'CONN',
  'TRAC',
  'PRI ',
];

const TELNET_VERBS = ['WILL', "WON'T", 'DO', "DON'T"] as const;

/** Whether these bytes begin a telnet negotiation (IAC, then WILL, WON'T, DO or DON'T); three bytes tell. */
export function startsTelnet(bytes: Uint8Array, start: number, end: number): boolean {
  const verb = bytes[start + 1] ?? 0;
  return end - start >= 3 && bytes[start] === 0xff && verb >= 0xfb && verb <= 0xfe;
}

/** A telnet negotiation in words. */
export function telnetInWords(bytes: Uint8Array, start: number, end: number): string {
  const verb = TELNET_VERBS[(bytes[start + 1] ?? 0) - 0xfb] ?? '';
  const option = start + 2 < end ? (bytes[start + 2] ?? 0) : 0;
  return `IAC ${verb} ${option}${option === 44 ? ' (RFC 2217 serial port control)' : ''}`;
}

/**
 * Names another protocol by its first bytes, in words: HTTP, TLS, SSH or telnet. Ask only where the bytes are no
 * plausible header of the expected protocol; four bytes are enough (three for telnet), more make the words better.
 */
export function recogniseForeignProtocol(bytes: Uint8Array, start: number, end: number): string | undefined {
  if (startsTelnet(bytes, start, end)) return `a telnet negotiation: ${telnetInWords(bytes, start, end)}`;
  if (end - start < 4) return undefined;
  if (bytes[start] === 0x16 && bytes[start + 1] === 0x03 && (bytes[start + 2] ?? 0xff) <= 0x04) {
    return 'a TLS handshake';
  }
  const first = asciiText(bytes, start, start + 4);
  if (HTTP_STARTS.includes(first)) return `an HTTP request: ${firstLine(bytes, start, end)}`;
  if (first === 'HTTP') return `an HTTP response: ${firstLine(bytes, start, end)}`;
  if (first === 'SSH-') return `an SSH peer: ${firstLine(bytes, start, end)}`;
  return undefined;
}

/** The printable part of the first line, at most 64 characters. */
function firstLine(bytes: Uint8Array, start: number, end: number): string {
  const bound = Math.min(end, start + 64);
  let stop = start;
  while (stop < bound && (bytes[stop] ?? 0) >= 0x20 && (bytes[stop] ?? 0) <= 0x7e) stop++;
  return asciiText(bytes, start, stop);
}
