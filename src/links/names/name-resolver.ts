import { isIP, type LookupFunction } from 'node:net';
import { HeartwireError } from '../../errors.ts';
import { Lru } from '../../system/index.ts';
import type { LinkEnd } from '../link.ts';
import { type Answered, DnsChannel } from './dns-channel.ts';
import {
  candidates,
  HOSTS_FILE,
  HostsFile,
  isMulticastName,
  NSSWITCH_CONF,
  parseNsswitch,
  parseResolvConf,
  RESOLV_CONF,
  systemMayKnow,
  textOf,
} from './system-files.ts';
import { type SystemLookup, systemLookup } from './system-lookup.ts';

/** The addresses of a name, or why there are none. */
export type NameAnswer =
  | {
      readonly ok: true;
      readonly addresses: readonly string[];
      /** How the answer is older than it should be, for people; absent where it is fresh. */
      readonly stale?: string;
    }
  | { readonly ok: false; readonly end: LinkEnd };

export interface NameResolverOptions {
  /** `address:port` of the name servers; absent: those of the system. */
  readonly servers?: readonly string[];
  readonly hostsFile?: string;
  readonly resolvConf?: string;
  readonly nsswitchConf?: string;
  /** How long one look-up may take, in ms. */
  readonly limitMs?: number;
  /** How the system itself is asked, and whether; absent: as this system does it. */
  readonly system?: SystemLookup;
  readonly systemMayKnow?: (name: string, sources: readonly string[]) => boolean;
  /** Monotonic ms. */
  readonly now?: () => number;
}

const LIMIT_MS = 5_000;
/** Where there is an older answer, a server has no longer than this (RFC 8767, client response timer). */
const STALE_LIMIT_MS = 1_800;
/** A server that was silent is not asked for so long where there is an older answer (RFC 8767, failure recheck timer). */
const SILENT_MS = 30_000;
/** Answers older than this are not used any more. */
const STALE_MS = 24 * 3_600_000;
/** The system does not say for how long its answers hold. */
const SYSTEM_KEPT_MS = 60_000;
/** A change of the system's name servers is seen after so long. */
const CHANNEL_MS = 10_000;
const MOST_KEPT = 10_000;

interface Kept {
  readonly addresses: readonly string[];
  readonly atMs: number;
  readonly freshUntilMs: number;
  /** No server is asked before. */
  silentUntilMs: number;
  why: string;
}

interface LookUp {
  readonly waiting: Set<(answer: NameAnswer) => void>;
  readonly abort: AbortController;
}

/**
 * Turns names into addresses: the hosts file, then DNS, then what the system knows besides. One look-up a name at a
 * time, however many wait for it, and none waits for another; each ends within its limit, and as soon as nothing waits.
 */
export class NameResolver {
  readonly #options: NameResolverOptions;
  readonly #hosts: HostsFile;
  readonly #now: () => number;
  readonly #kept = new Lru<string, Kept>(MOST_KEPT);
  readonly #running = new Map<string, LookUp>();
  #channel: DnsChannel | undefined;

  constructor(options: NameResolverOptions = {}) {
    this.#options = options;
    this.#hosts = new HostsFile(options.hostsFile ?? HOSTS_FILE);
    this.#now = options.now ?? (() => performance.now());
  }

  /** Look-ups under way. */
  get running(): number {
    return this.#running.size;
  }

  /** Calls `done` once, later; never after the returned function was called. */
  lookUp(name: string, done: (answer: NameAnswer) => void): () => void {
    const key = name.toLowerCase();
    const lookUp = this.#running.get(key) ?? this.#begin(key);
    // One that waits twice is two.
    const waiter = (answer: NameAnswer): void => done(answer);
    lookUp.waiting.add(waiter);
    return () => {
      if (!lookUp.waiting.delete(waiter) || lookUp.waiting.size > 0) return;
      if (this.#running.get(key) === lookUp) this.#running.delete(key);
      lookUp.abort.abort();
    };
  }

  /** As `lookUp`, without giving up. */
  resolve(name: string): Promise<NameAnswer> {
    return new Promise((resolve) => void this.lookUp(name, resolve));
  }

  #begin(key: string): LookUp {
    const lookUp: LookUp = { waiting: new Set(), abort: new AbortController() };
    this.#running.set(key, lookUp);
    const found = this.#find(key, lookUp.abort.signal).catch((cause: unknown): NameAnswer => {
      // Nothing here should throw: what does ends this look-up alone, and says so.
      return { ok: false, end: silentEnd(key, String(cause), 0) };
    });
    void found.then((answer) => {
      if (this.#running.get(key) === lookUp) this.#running.delete(key);
      // Ends what of it still runs: the slower of two ways, or a question behind the limit.
      lookUp.abort.abort();
      const waiting = [...lookUp.waiting];
      lookUp.waiting.clear();
      for (const done of waiting) done(answer);
    });
    return lookUp;
  }

  async #find(name: string, signal: AbortSignal): Promise<NameAnswer> {
    const complete = name.replace(/\.$/, '');
    const written = await this.#hosts.addressesOf(complete);
    if (written.length > 0) return { ok: true, addresses: written };
    // RFC 6761: these never leave the machine.
    if (/(^|\.)localhost$/.test(complete)) return { ok: true, addresses: ['127.0.0.1', '::1'] };
    const kept = this.#keptOf(name);
    const now = this.#now();
    if (kept !== undefined && now < kept.freshUntilMs) return { ok: true, addresses: kept.addresses };
    if (kept !== undefined && now < kept.silentUntilMs) return this.#stale(name, kept);
    const limitMs = Math.min(
      this.#options.limitMs ?? LIMIT_MS,
      kept === undefined ? LIMIT_MS : STALE_LIMIT_MS,
    );
    const said = await within(limitMs, this.#ask(name, signal), signal);
    switch (said.kind) {
      case 'addresses':
        this.#keep(name, said);
        return { ok: true, addresses: said.addresses };
      case 'absent':
        this.#kept.delete(name);
        return { ok: false, end: absentEnd(name, said.why) };
      case 'silent':
        if (kept === undefined) return { ok: false, end: silentEnd(name, said.why, limitMs) };
        kept.silentUntilMs = this.#now() + SILENT_MS;
        kept.why = said.why;
        return this.#stale(name, kept);
    }
  }

  async #ask(name: string, signal: AbortSignal): Promise<Answered> {
    const { nsswitchConf = NSSWITCH_CONF } = this.#options;
    const mayKnow = this.#options.systemMayKnow ?? knownBesides;
    const asksSystem = mayKnow(name, parseNsswitch(await textOf(nsswitchConf)));
    // A DNS server has nothing to say of these, and may not even say that.
    if (asksSystem && isMulticastName(name)) {
      return firstFound([this.#askSystem(name, signal), this.#askDns(name, signal)]);
    }
    const said = await this.#askDns(name, signal);
    return said.kind === 'absent' && asksSystem ? this.#askSystem(name, signal) : said;
  }

  async #askDns(name: string, signal: AbortSignal): Promise<Answered> {
    const list = parseResolvConf(await textOf(this.#options.resolvConf ?? RESOLV_CONF));
    const channel = this.#channelNow();
    channel.users += 1;
    // The last one leaves: nothing of the channel keeps the process alive.
    const leave = (): void => {
      channel.users -= 1;
      if (channel.users > 0) return;
      channel.cancel();
      if (this.#channel === channel) this.#channel = undefined;
    };
    if (signal.aborted) leave();
    else signal.addEventListener('abort', leave, { once: true });
    let last: Answered = { kind: 'absent', why: 'ENOTFOUND' };
    for (const candidate of candidates(name, list)) {
      if (signal.aborted) return { kind: 'silent', why: 'ECANCELLED' };
      const said = await channel.ask(candidate);
      if (said.kind === 'addresses') return said;
      // That a server is silent is worth more than that another name does not exist.
      if (said.kind === 'silent' || last.kind === 'absent') last = said;
    }
    return last;
  }

  async #askSystem(name: string, signal: AbortSignal): Promise<Answered> {
    const addresses = await (this.#options.system ?? systemLookup)(name, signal);
    if (addresses.length === 0) return { kind: 'absent', why: 'ENOTFOUND' };
    return { kind: 'addresses', addresses, keepMs: SYSTEM_KEPT_MS };
  }

  #channelNow(): DnsChannel {
    const now = this.#now();
    const present = this.#channel;
    if (present !== undefined && now - present.madeAtMs < CHANNEL_MS) return present;
    const channel = new DnsChannel(this.#options.servers ?? [], now);
    this.#channel = channel;
    return channel;
  }

  #keptOf(name: string): Kept | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined || this.#now() - kept.atMs < STALE_MS) return kept;
    this.#kept.delete(name);
    return undefined;
  }

  #keep(name: string, { addresses, keepMs }: { addresses: readonly string[]; keepMs: number }): void {
    const atMs = this.#now();
    this.#kept.set(name, { addresses, atMs, freshUntilMs: atMs + keepMs, silentUntilMs: atMs, why: '' });
  }

  #stale(name: string, { addresses, atMs, why }: Kept): NameAnswer {
    const ageS = Math.round((this.#now() - atMs) / 1_000);
    const stale = `No name server answers for ${name} (${why}); the address of ${ageS} s ago is used.`;
    return { ok: true, addresses, stale };
  }
}

/** Of the process: devices that share a name share its look-up. */
export const systemNames = new NameResolver();

/** Only Linux says in a file what else it asks; elsewhere the system may know more than DNS. */
const knownBesides = (name: string, sources: readonly string[]): boolean =>
  process.platform !== 'linux' || systemMayKnow(name, sources);

/** The first that finds addresses; where none does, a silence before an absence. */
async function firstFound(ways: ReadonlyArray<Promise<Answered>>): Promise<Answered> {
  const found = ways.map(async (way) => {
    const said = await way;
    return said.kind === 'addresses' ? said : Promise.reject(said);
  });
  try {
    return await Promise.any(found);
  } catch {
    const all = await Promise.all(ways);
    return all.find(({ kind }) => kind === 'silent') ?? all[0] ?? { kind: 'absent', why: 'ENOTFOUND' };
  }
}

function within(limitMs: number, question: Promise<Answered>, signal: AbortSignal): Promise<Answered> {
  return new Promise((resolve, reject) => {
    const end = (why: string) => (): void => done({ kind: 'silent', why });
    const givenUp = end('ECANCELLED');
    // Behind a loop that stood still the answer may lie in the socket already.
    const timer = setTimeout(() => setImmediate(end('ETIMEOUT')), limitMs);
    const done = (answer: Answered): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', givenUp);
      resolve(answer);
    };
    signal.addEventListener('abort', givenUp);
    question.then(done, reject);
  });
}

function absentEnd(name: string, why: string): LinkEnd {
  return {
    code: 'host_unknown',
    detail: `There is no host ${name} (${why}). Correct the name, add it to the name server or the hosts file, or write the IP address.`,
  };
}

function silentEnd(name: string, why: string, limitMs: number): LinkEnd {
  const what =
    why === 'ETIMEOUT' ? `no name server answered within ${limitMs} ms` : `no name server could say (${why})`;
  return {
    code: 'name_not_resolved',
    detail: `The name ${name} could not be resolved: ${what}. Check the name servers of this machine, or write the IP address.`,
  };
}

/** For `connect` of Node, which looks names up by the system where it is given nothing: addresses that are known. */
export function asLookup(addresses: readonly string[]): LookupFunction {
  const all = addresses.map((address) => ({ address, family: isIP(address) }));
  return (_host, options, done) => {
    const fit = all.filter(({ family }) => !options.family || options.family === family);
    const [first] = fit;
    if (first === undefined) {
      const text = `No address of the wanted family among ${addresses.join(', ')}.`;
      process.nextTick(() => done(new HeartwireError('host_unknown', text), '', 0));
    } else if (options.all === true) process.nextTick(() => done(null, fit));
    else process.nextTick(() => done(null, first.address, first.family));
  };
}

/** For sockets that are not links: names are resolved as for those. */
export function lookupOf(names: NameResolver = systemNames): LookupFunction {
  return (host, options, done) => {
    names.lookUp(host, (answer) => {
      if (answer.ok) asLookup(answer.addresses)(host, options, done);
      else done(new HeartwireError(answer.end.code, answer.end.detail), '', 0);
    });
  };
}

/**
 * The address to listen at for a host of the configuration, which may be a name of this machine.
 * @throws HeartwireError `host_unknown`, `name_not_resolved`
 */
export async function listeningHost(host: string, names: NameResolver = systemNames): Promise<string> {
  if (isIP(host) !== 0) return host;
  const answer = await names.resolve(host);
  if (!answer.ok) throw new HeartwireError(answer.end.code, answer.end.detail, { seen: host });
  return answer.addresses[0] ?? host;
}
