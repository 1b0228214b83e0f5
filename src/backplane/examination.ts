import { randomBytes } from 'node:crypto';
import type { BackplaneConfig } from '../config/index.ts';
import type { ErrorCode } from '../errors.ts';
import { BackplaneError } from './core/backplane.ts';
import { RedisConnection } from './redis-connection.ts';

/** What was found of the server; `code` is absent where all is well. */
export interface BackplaneFinding {
  readonly code?: ErrorCode;
  readonly detail: string;
}

const OLDEST = 7;
/** A key that is tried is gone after so long. */
const PROBE_MS = 1_000;
/** Of the memory that the server may take; beyond it there is too little room for what comes. */
const MOST_USED = 0.9;

/** What a user of the server may do, and no more: every command that an instance calls. `several-instances.md` has it. */
const RULE =
  '+client|setname +select +info +time +script|load +evalsha +hset +hget +hmget +hgetall +hscan +hdel +hincrby +xadd +xread +xtrim +pexpire';

/** Commands of the instances, each on a key that ends by itself. */
const PROBE = `
redis.call('TIME')
redis.call('HGET', KEYS[1], 'a')
redis.call('HSET', KEYS[1], 'a', '1')
redis.call('HINCRBY', KEYS[1], 'a', 1)
redis.call('HMGET', KEYS[1], 'a', 'b')
redis.call('HGETALL', KEYS[1])
redis.call('HDEL', KEYS[1], 'b')
redis.call('PEXPIRE', KEYS[1], ARGV[1])
redis.call('XADD', KEYS[2], 'MAXLEN', '~', 10, '*', 't', '1')
redis.call('PEXPIRE', KEYS[2], ARGV[1])
return 1
`;

/** Whether several instances may share this server: it is reached, is one that suits, and lets this user do what is needed. */
export async function examineBackplane(config: BackplaneConfig): Promise<readonly BackplaneFinding[]> {
  const connection = new RedisConnection(config, () => undefined);
  try {
    await connection.open();
    const info = new Map<string, string>();
    for (const section of ['server', 'memory'])
      for (const line of String(await connection.command('INFO', section)).split(/\r?\n/)) {
        const at = line.indexOf(':');
        if (at > 0) info.set(line.slice(0, at), line.slice(at + 1));
      }
    const findings = [serverFinding(info), memoryFinding(info)];
    return [...findings, await rightsFinding(connection, config.prefix)];
  } catch (cause) {
    if (!(cause instanceof BackplaneError)) throw cause;
    const code = cause.refused ? 'backplane_refused' : 'backplane_lost';
    const needed = cause.message.startsWith('NOPERM') ? `. Its user needs: ${RULE} ~${config.prefix}:*` : '';
    return [{ code, detail: `${config.url}: ${cause.message}${needed}` }];
  } finally {
    connection.close();
  }
}

function serverFinding(info: ReadonlyMap<string, string>): BackplaneFinding {
  const valkey = info.get('valkey_version');
  const version = valkey ?? info.get('redis_version') ?? '';
  const name = `${valkey === undefined ? 'Redis' : 'Valkey'} ${version}`;
  if (!(Number.parseInt(version, 10) >= OLDEST))
    return { code: 'backplane_unsuited', detail: `${name} answers; version ${OLDEST} or later is needed.` };
  const mode = info.get(valkey === undefined ? 'redis_mode' : 'server_mode') ?? info.get('redis_mode');
  if (mode === 'cluster')
    return {
      code: 'backplane_unsuited',
      detail: `${name} answers as part of a cluster; one server is needed.`,
    };
  return { detail: `${name} answers.` };
}

function memoryFinding(info: ReadonlyMap<string, string>): BackplaneFinding {
  const most = Number(info.get('maxmemory') ?? 0);
  const used = Number(info.get('used_memory') ?? 0);
  const policy = info.get('maxmemory_policy') ?? 'noeviction';
  if (!(most > 0)) return { detail: `It has no limit of memory; ${megabytes(used)} are in use.` };
  const room = `${megabytes(used)} of ${megabytes(most)} are in use`;
  if (policy !== 'noeviction')
    return {
      code: 'backplane_unsuited',
      detail: `Its maxmemory-policy is ${policy}: once full, it throws devices away without a word (${room}). Set noeviction.`,
    };
  if (used > MOST_USED * most)
    return { code: 'backplane_unsuited', detail: `It is nearly full: ${room}. Raise maxmemory.` };
  return { detail: `Its maxmemory-policy is noeviction; ${room}.` };
}

/** Tries what the user may do, because a rule cannot be asked for without a right of its own. */
async function rightsFinding(connection: RedisConnection, prefix: string): Promise<BackplaneFinding> {
  const name = `${prefix}:{0}:doctor:${randomBytes(6).toString('hex')}`;
  const [hash, stream] = [`${name}:hash`, `${name}:stream`];
  try {
    const sha = await connection.command('SCRIPT', 'LOAD', PROBE);
    await connection.command('EVALSHA', String(sha), 2, hash, stream, PROBE_MS);
    await connection.command('HMGET', hash, 'a');
    await connection.command('HSCAN', hash, '0', 'COUNT', 1);
    await connection.command('XREAD', 'COUNT', 1, 'STREAMS', stream, '0');
    await connection.command('XTRIM', stream, 'MINID', '0');
  } catch (cause) {
    if (!(cause instanceof BackplaneError)) throw cause;
    return { code: 'backplane_refused', detail: `${cause.message}. Its user needs: ${RULE} ~${prefix}:*` };
  }
  return { detail: `Its user may do what is needed below ${prefix}:.` };
}

const megabytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`;
