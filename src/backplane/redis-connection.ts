import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { Redis, type RedisOptions } from 'ioredis';
import type { BackplaneConfig } from '../config/index.ts';
import { BackplaneError } from './core/backplane.ts';
import { CALL, END, LEASE, MARK, OWNER, PUBLISH, RELEASE, RENEW } from './core/scripts.ts';

const SCRIPTS = { CALL, END, LEASE, MARK, OWNER, PUBLISH, RELEASE, RENEW };
export type ScriptName = keyof typeof SCRIPTS;

const SHAS = new Map(
  Object.entries(SCRIPTS).map(([name, text]) => [name, createHash('sha1').update(text).digest('hex')]),
);

export type Reply = string | number | null | readonly Reply[];

/** A call of a script. */
export interface ScriptCall {
  readonly script: ScriptName;
  readonly keys: readonly string[];
  readonly args: ReadonlyArray<string | number>;
}

/** Errors of the server that last until someone fixes their cause. */
const REFUSED = /^(OOM|NOPERM|NOAUTH|WRONGPASS|ERR invalid password|MISCONF|ERR AUTH|DENIED)/;

/**
 * One life of the connection to the server: two sockets, because reading waits. It opens once and closes once; whatever
 * goes wrong with either socket, or is not answered in time, ends both.
 */
export class RedisConnection {
  readonly #config: BackplaneConfig;
  readonly #closed: (why: BackplaneError) => void;
  readonly #timeoutMs: number;
  #commands: Redis | undefined;
  #reads: Redis | undefined;
  #ended = false;
  #runId = '';

  constructor(config: BackplaneConfig, closed: (why: BackplaneError) => void) {
    this.#config = config;
    this.#closed = closed;
    this.#timeoutMs = Math.max(500, Math.round(config.leaseMs / 3));
  }

  /** Names the run of the server. */
  get runId(): string {
    return this.#runId;
  }

  /** Rejects where it cannot be opened; `closed` is not called then. */
  async open(): Promise<void> {
    const options = await this.#options();
    const made = [new Redis(options), new Redis({ ...options, commandTimeout: undefined })] as const;
    [this.#commands, this.#reads] = made;
    let last: Error | undefined;
    for (const redis of made) {
      redis.on('error', (error: Error) => {
        last = error;
      });
    }
    const late = setTimeout(() => {
      last = new Error(`no answer within ${this.#timeoutMs} ms`);
      for (const redis of made) redis.disconnect();
    }, this.#timeoutMs);
    try {
      await Promise.all(made.map((redis) => redis.connect()));
      const info = await made[0].info('server');
      this.#runId = /run_id:(\w+)/.exec(info)?.[1] ?? '';
      for (const text of Object.values(SCRIPTS)) await made[0].script('LOAD', text);
    } catch (cause) {
      this.#ended = true;
      for (const redis of made) redis.disconnect();
      throw errorOf(isReply(cause) ? cause : (last ?? cause));
    } finally {
      clearTimeout(late);
    }
    if (this.#ended) throw new BackplaneError('closed');
    for (const redis of made)
      redis.on('close', () => this.#end(errorOf(last ?? new Error('the connection was closed'))));
  }

  /** The replies of several calls, in their order; they go in one piece. */
  async run(calls: readonly ScriptCall[]): Promise<Reply[]> {
    const redis = this.#commands;
    if (redis === undefined || this.#ended) throw new BackplaneError('the server is away');
    if (calls.length === 0) return [];
    const pipeline = redis.pipeline();
    for (const { script, keys, args } of calls)
      pipeline.evalsha(SHAS.get(script) ?? '', keys.length, ...keys, ...args);
    return this.#guarded(async () => {
      const replies = (await pipeline.exec()) ?? [];
      const failed = replies.find(([error]) => error !== null)?.[0];
      if (failed) throw failed;
      return replies.map(([, reply]) => reply as Reply);
    });
  }

  async command(name: string, ...args: ReadonlyArray<string | number>): Promise<Reply> {
    const redis = this.#commands;
    if (redis === undefined || this.#ended) throw new BackplaneError('the server is away');
    return this.#guarded(async () => (await redis.call(name, ...args)) as Reply);
  }

  /** A command that waits up to `waitMs`. */
  async read(waitMs: number, name: string, ...args: ReadonlyArray<string | number>): Promise<Reply> {
    const redis = this.#reads;
    if (redis === undefined || this.#ended) throw new BackplaneError('the server is away');
    const late = setTimeout(
      () => this.#end(new BackplaneError(`no answer within ${this.#timeoutMs} ms`)),
      waitMs + this.#timeoutMs,
    );
    try {
      return await this.#guarded(async () => (await redis.call(name, ...args)) as Reply);
    } finally {
      clearTimeout(late);
    }
  }

  close(why = new BackplaneError('closed')): void {
    this.#end(why);
  }

  /** What is not answered, or not as this instance may go on with, ends the connection. */
  async #guarded<T>(act: () => Promise<T>): Promise<T> {
    try {
      return await act();
    } catch (cause) {
      const error = errorOf(cause);
      if (!error.refused) this.#end(error);
      throw error;
    }
  }

  #end(why: BackplaneError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#commands?.disconnect();
    this.#reads?.disconnect();
    this.#closed(why);
  }

  async #options(): Promise<RedisOptions & { readonly replyMapping: 'legacy' }> {
    const { url, username, passwordFile, caFile, instance } = this.#config;
    const [password, ca] = await Promise.all([textOf(passwordFile), textOf(caFile)]);
    const where = url.startsWith('unix:') ? { path: url.slice(5) } : placeOf(new URL(url));
    return {
      ...where,
      ...('tls' in where && ca !== undefined ? { tls: { ca } } : {}),
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password: password.trim() }),
      connectionName: `heartwire-${instance}`,
      lazyConnect: true,
      enableReadyCheck: false,
      enableOfflineQueue: false,
      autoResendUnfulfilledCommands: false,
      maxRetriesPerRequest: 0,
      retryStrategy: () => null,
      connectTimeout: this.#timeoutMs,
      commandTimeout: this.#timeoutMs,
      disableClientInfo: true,
      // Replies have one shape with every server.
      protocol: 2,
      replyMapping: 'legacy',
    };
  }
}

function placeOf({ protocol, hostname, port, pathname, username }: URL): RedisOptions {
  const db = Number(pathname.slice(1));
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? 6_379 : Number(port),
    ...(db > 0 ? { db } : {}),
    ...(username === '' ? {} : { username: decodeURIComponent(username) }),
    ...(protocol === 'rediss:' ? { tls: {} } : {}),
  };
}

async function textOf(file: string | undefined): Promise<string | undefined> {
  if (file === undefined) return undefined;
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new BackplaneError(`${file} cannot be read`, true, cause);
  }
}

const isReply = (cause: unknown): boolean => cause instanceof Error && cause.name === 'ReplyError';

function errorOf(cause: unknown): BackplaneError {
  if (cause instanceof BackplaneError) return cause;
  const text = cause instanceof Error ? cause.message : String(cause);
  return new BackplaneError(text, isReply(cause) && REFUSED.test(text), cause);
}
