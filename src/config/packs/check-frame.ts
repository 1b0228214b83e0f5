import type { Values } from '../../contract/index.ts';
import { HeartwireError } from '../../errors.ts';
import { type DeclaredProtocol, hexText, makeFraming, payloadJudge } from '../../protocol/index.ts';
import type { PackFrame } from './shape.ts';

/** The bytes of a published frame. */
export function bytesOfFrame({ hex, text }: PackFrame): Uint8Array {
  if (hex === undefined) return new TextEncoder().encode(text);
  const digits = hex.replace(/\s/g, '');
  return Uint8Array.from({ length: digits.length / 2 }, (_, at) =>
    Number.parseInt(digits.slice(2 * at, 2 * at + 2), 16),
  );
}

/** What is wrong with a published frame; undefined where it decodes to its values, and these encode to its bytes. */
export function checkFrame(anyDevice: DeclaredProtocol, frame: PackFrame): string | undefined {
  const protocol = frame.address === undefined ? anyDevice : anyDevice.at(frame.address);
  const decoded = checkDecoded(protocol, frame);
  if (decoded !== undefined) return decoded;
  const encoded = checkEncoded(protocol, frame);
  if (frame.encode !== false) return encoded;
  return encoded === undefined
    ? 'its values do encode to its bytes: remove `encode` and `reason`'
    : undefined;
}

function checkDecoded(protocol: DeclaredProtocol, frame: PackFrame): string | undefined {
  const found = payloadsIn(protocol, bytesOfFrame(frame), frame.from);
  if (typeof found === 'string') return found;
  const [first, ...others] = found;
  if (first === undefined || others.length > 0) return `${found.length} frames were found in these bytes`;
  const { payload, framing } = first;
  // As when it was asked for: the published reply to one of several requests that look alike.
  const replies = frame.kind === 'reply' ? [{ message: frame.message, same: {} }] : [];
  const expected = { sent: [], replies, awaited: [] };
  const message = protocol.decode(payload, 0, payload.length, frame.from, expected, framing);
  if (message.name === 'echo') return 'it is an echo';
  if (message.name === 'invalid')
    return `${message.field}: expected ${message.expected}, found ${message.seen}`;
  if (message.name !== 'declared') return `it is an unknown message: ${hexText(payload)}`;
  const { issues } = message;
  const doubtful = issues.map(({ field }) => field);
  const error = message.kind === 'reply' && message.error !== 0 ? message.error : undefined;
  const seen = [message.message, message.kind, error, message.fields, doubtful];
  const wanted = [frame.message, frame.kind, frame.error || undefined, frame.fields, frame.issues ?? []];
  if (canonical(seen) === canonical(wanted)) return undefined;
  const why = issues.map(({ field, detail }) => `; ${field}: ${detail}`).join('');
  return `it decodes to ${canonical(seen)}, not to ${canonical(wanted)}${why}`;
}

function checkEncoded(protocol: DeclaredProtocol, frame: PackFrame): string | undefined {
  const fields = frame.fields as Values; // JSON holds nothing else
  let encoded: Uint8Array;
  try {
    encoded =
      frame.kind === 'reply'
        ? protocol.encodeReply(frame.message, frame.error ?? 0, fields)
        : protocol.encode(frame.message, fields);
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
    return error.message;
  }
  const hex = hexText(
    makeFraming(protocol.declaration.framing, frame.from === 'device' ? 'device' : 'host').encode(
      encoded,
      protocol.kindOf(frame.message),
    ),
  );
  const wanted = hexText(bytesOfFrame(frame));
  return hex === wanted ? undefined : `its values encode to ${hex}, not to ${wanted}`;
}

interface FoundPayload {
  readonly payload: Uint8Array;
  /** The framing in whose frame it came, where there are several. */
  readonly framing: string | undefined;
}

/** The payloads that the framing finds, or what it discards. */
function payloadsIn(
  protocol: DeclaredProtocol,
  bytes: Uint8Array,
  from: 'host' | 'device',
): readonly FoundPayload[] | string {
  const payloads: FoundPayload[] = [];
  let problem: string | undefined;
  const decoder = makeFraming(protocol.declaration.framing, from === 'host' ? 'device' : 'host').makeDecoder(
    {
      frame: (buffer, start, end, framing) =>
        void payloads.push({ payload: buffer.slice(start, end), framing }),
      discarded: ({ count, expected, seen }) => {
        problem ??= `${count} bytes belong to no message: expected ${expected}, found ${seen}`;
      },
      fault: ({ expected, seen }) => {
        problem ??= `no frame can begin here: expected ${expected}, found ${seen}`;
      },
    },
    { line: 'stream', judge: payloadJudge(protocol, from) },
  );
  decoder.push(bytes);
  decoder.idle();
  decoder.close();
  return problem ?? payloads;
}

/** JSON whose keys are in order, so that equal values have equal text. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, each: unknown) =>
    typeof each === 'object' && each !== null && !Array.isArray(each)
      ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
      : each,
  );
}
