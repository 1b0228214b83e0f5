import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { request as httpsRequest } from 'node:https';
import type { LookupFunction } from 'node:net';
import type { Verdict } from './delivery.ts';
import { masked } from './secret.ts';
import { within } from './within.ts';

/** One request; its answer decides what becomes of the batch. */
export interface OutputRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** What no text for people may have in it. */
  readonly secrets: readonly string[];
  /** Why an answer with a good status is a refusal all the same. */
  readonly refusedBy?: (answer: string) => { readonly detail: string; readonly isBusy: boolean } | undefined;
}

const TIMEOUT_MS = 10_000;
/** Of an answer that says why, so much is shown. */
const SHOWN = 200;
const LARGEST_ANSWER = 64 * 1024;
/** Robots of chats take 20 messages a minute. */
const BUSY_MS = 3_000;
/** What was sent is wrong, or too much. Of all else something can be fixed while it waits: address, rights, service. */
const ABOUT_CONTENT = [400, 413, 422];

/** Sends one request, and says what becomes of what was in it. */
export async function send(
  request: OutputRequest,
  lookup: LookupFunction,
  aborted: AbortSignal,
): Promise<Verdict> {
  const { refusedBy } = request;
  try {
    const answer = await within(aborted, TIMEOUT_MS, (signal) => post(request, lookup, signal));
    const refusal = answer.ok ? refusedBy?.(answer.text) : undefined;
    if (refusal !== undefined) {
      const detail = masked(refusal.detail, request.secrets);
      return refusal.isBusy
        ? { kind: 'later', code: 'output_refused', detail, leastMs: BUSY_MS }
        : { kind: 'never', detail };
    }
    return verdictOf({ ...answer, text: masked(answer.text, request.secrets) });
  } catch (error) {
    // The network, or the time-out.
    const detail = error instanceof Error ? error.message : String(error);
    return { kind: 'later', code: 'output_unreachable', detail, leastMs: 0 };
  }
}

interface Answer {
  readonly ok: boolean;
  readonly status: number;
  /** What it begins with. */
  readonly text: string;
  readonly retryAfter: string | undefined;
}

/** One request. Names are resolved by `lookup`, so that one without an answer holds up nothing else. */
async function post(
  { url, headers, body }: OutputRequest,
  lookup: LookupFunction,
  signal: AbortSignal,
): Promise<Answer> {
  const request = url.startsWith('https:') ? httpsRequest : httpRequest;
  const outgoing = request(url, { method: 'POST', headers, lookup, signal });
  const answered = once(outgoing, 'response');
  outgoing.end(body);
  const [response]: IncomingMessage[] = await answered;
  if (response === undefined) throw new Error('There was no answer.');
  const chunks: Buffer[] = [];
  let length = 0;
  // A hostile other side may send without end; leaving the loop ends the connection.
  for await (const chunk of response) {
    chunks.push(chunk);
    length += chunk.length;
    if (length > LARGEST_ANSWER) break;
  }
  const { statusCode: status = 0, headers: answer } = response;
  const text = Buffer.concat(chunks).toString('utf8').trim();
  return { ok: status >= 200 && status < 300, status, text, retryAfter: answer['retry-after'] };
}

function verdictOf({ ok, status, text, retryAfter }: Answer): Verdict {
  if (ok) return { kind: 'taken' };
  const detail = `HTTP status ${status}${text === '' ? '' : `: ${text.slice(0, SHOWN)}`}`;
  if (ABOUT_CONTENT.includes(status)) return { kind: 'never', detail, answer: text };
  const seconds = Number(retryAfter ?? 0);
  const leastMs = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), 3_600) * 1_000 : 0;
  return { kind: 'later', code: status < 500 ? 'output_refused' : 'output_unreachable', detail, leastMs };
}
