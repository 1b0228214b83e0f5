import { isJsonObject, type Json, type JsonObject } from '../contract/wire/index.ts';
import { type ErrorCode, HeartwireError } from '../errors.ts';
import { bridgeUnreachable } from './bridge-connection.ts';
import { type BridgeArgs, bridgeToken, bridgeUrl, TOKEN_FIX } from './bridge-options.ts';
import type { CliIo } from './command.ts';
import { errorText } from './error-text.ts';

/** Reading all of a long history takes its time. */
const ANSWER_WITHIN_MS = 60_000;

/** Asks the HTTP API of a running bridge. */
export class BridgeApi {
  readonly #feed: string;
  readonly #program: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #warn: (text: string) => void;
  readonly #missing = new Set<string>();

  constructor(
    feed: string,
    program: string,
    headers: Readonly<Record<string, string>>,
    warn: (text: string) => void = () => undefined,
  ) {
    this.#feed = feed;
    this.#program = program;
    this.#headers = headers;
    this.#warn = warn;
  }

  /** The document at a path, as `text` gets it. */
  async get(path: string, query: Query = {}): Promise<JsonObject> {
    const document = documentOf(await this.text(path, query));
    if (document !== undefined) {
      this.#warnOfMissing(document);
      return document;
    }
    throw bridgeUnreachable(this.#feed, 'What answers there is no bridge', this.#program);
  }

  /**
   * What the bridge answers at a path; parameters that are undefined are left out.
   * @throws HeartwireError `bridge_unreachable`, `bridge_refused`, and the code of the answer
   */
  async text(path: string, query: Query = {}): Promise<string> {
    const given = Object.entries(query).flatMap(([name, value]): [string, string][] =>
      value === undefined ? [] : [[name, value]],
    );
    const base = this.#feed.replace(/^ws/, 'http').replace(/\/ws(\/[^/]+)?$/, '');
    const search = given.length === 0 ? '' : `?${new URLSearchParams(given)}`;
    let status: number;
    let text: string;
    try {
      const response = await fetch(`${base}${path}${search}`, {
        headers: this.#headers,
        signal: AbortSignal.timeout(ANSWER_WITHIN_MS),
      });
      status = response.status;
      text = await response.text();
    } catch (cause) {
      throw bridgeUnreachable(this.#feed, whyOf(cause), this.#program);
    }
    if (status === 200) return text;
    const { code, message } = documentOf(text) ?? {};
    const said = typeof message === 'string' ? message : `it answered with HTTP status ${status}`;
    if (status === 401 || status === 403)
      throw new HeartwireError('bridge_refused', `The bridge at ${base} refused this: ${said}`, {
        fix: TOKEN_FIX,
      });
    // A code of the bridge; an unknown one is passed on as it is.
    throw new HeartwireError((typeof code === 'string' ? code : 'bridge_refused') as ErrorCode, said);
  }

  /** Of several instances some did not answer: says so, once for each. */
  #warnOfMissing({ unreached }: JsonObject): void {
    for (const instance of Array.isArray(unreached) ? unreached.map(String) : []) {
      if (this.#missing.has(instance)) continue;
      this.#missing.add(instance);
      this.#warn(`The instance ${instance} does not answer: what it keeps is missing here.\n`);
    }
  }
}

type Query = Readonly<Record<string, string | undefined>>;

function documentOf(text: string): JsonObject | undefined {
  try {
    const json: Json = JSON.parse(text);
    return isJsonObject(json) ? json : undefined;
  } catch {
    // Something else than a bridge answered.
    return undefined;
  }
}

/** @throws HeartwireError `bad_address`, `bad_argument` */
export async function bridgeApi(args: BridgeArgs, io: CliIo): Promise<BridgeApi> {
  const token = await bridgeToken(args['token-file'], io);
  const headers = {
    ...(args.origin === undefined ? {} : { Origin: args.origin }),
    ...(token === undefined ? {} : { Authorization: `Bearer ${token}` }),
  };
  return new BridgeApi(bridgeUrl(args.url, io), io.program, headers, (text) => io.err(text));
}

/** `fetch` hides the word of the socket behind one of its own. */
function whyOf(cause: unknown): string {
  const inner = cause instanceof Error && cause.cause instanceof Error ? cause.cause : cause;
  if (!(inner instanceof Error)) return String(inner);
  return inner.message === '' && 'code' in inner ? String(inner.code) : inner.message;
}

/** The same for a command; undefined where the options name no bridge, once that is said: the command ends with 2. */
export async function reachBridge(args: BridgeArgs, io: CliIo): Promise<BridgeApi | undefined> {
  try {
    return await bridgeApi(args, io);
  } catch (error) {
    if (!(error instanceof HeartwireError)) throw error;
    io.err(errorText(error));
    return undefined;
  }
}
