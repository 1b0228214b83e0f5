import { Resolver } from 'node:dns/promises';
import { systemCode } from '../tcp-end.ts';

/** What became of a question to a name server. */
export type Answered =
  | { readonly kind: 'addresses'; readonly addresses: readonly string[]; readonly keepMs: number }
  /** A server says that there is no such name, or that it has no address. */
  | { readonly kind: 'absent'; readonly why: string }
  /** No server said anything that can be used. */
  | { readonly kind: 'silent'; readonly why: string };

/** One try with one server; the next takes twice as long. */
const TRY_MS = 1_200;
const TRIES = 2;
/** Behind the addresses of one kind, those of the other are waited for so long. */
const OTHER_KIND_MS = 100;
const LONGEST_KEPT_S = 86_400;

/** No server will say anything else of this name, however often it is asked. */
const ABSENT = new Set(['ENOTFOUND', 'ENODATA', 'EBADNAME', 'EBADQUERY']);
/** This server does not serve us; another one may. */
const TURNED_DOWN = new Set(['ESERVFAIL', 'EREFUSED', 'ENOTIMP', 'EFORMERR', 'EBADRESP']);

/**
 * Questions to the name servers of the system, or to given ones. They run in the event loop, without a thread: however
 * many wait, nothing else does. Many questions share one channel, which is cancelled as a whole.
 */
export class DnsChannel {
  readonly #servers: readonly string[];
  readonly #resolvers: Resolver[] = [];
  readonly madeAtMs: number;
  /** Look-ups that use it. */
  users = 0;

  /** No `servers`: those of the system, as they are now. */
  constructor(servers: readonly string[], madeAtMs: number) {
    this.madeAtMs = madeAtMs;
    const all = new Resolver({ timeout: TRY_MS, tries: TRIES });
    if (servers.length > 0) all.setServers([...servers]);
    this.#resolvers.push(all);
    this.#servers = all.getServers();
  }

  /** Questions that wait end as silent, and keep no process alive. */
  cancel(): void {
    for (const resolver of this.#resolvers) resolver.cancel();
  }

  /** The addresses of a complete name, IPv4 before IPv6. */
  async ask(name: string): Promise<Answered> {
    let said = await askBoth(this.#resolver(0), name);
    // The library takes the word of the first server, also where that is a refusal.
    for (let next = 1; next < this.#servers.length && said.kind === 'silent'; next++) {
      if (!TURNED_DOWN.has(said.why)) break;
      said = await askBoth(this.#resolver(next), name);
    }
    return said;
  }

  #resolver(index: number): Resolver {
    const known = this.#resolvers[index];
    if (known !== undefined) return known;
    const resolver = new Resolver({ timeout: TRY_MS, tries: TRIES });
    const server = this.#servers[index];
    if (server !== undefined) resolver.setServers([server]);
    this.#resolvers[index] = resolver;
    return resolver;
  }
}

async function askBoth(resolver: Resolver, name: string): Promise<Answered> {
  const v4 = settle(resolver.resolve4(name, { ttl: true }));
  const v6 = settle(resolver.resolve6(name, { ttl: true }));
  const first = await Promise.race([v4, v6]);
  const rest = first.kind === 'addresses' ? [v4, v6].map((each) => orSoon(each)) : [v4, v6];
  const [four, six] = await Promise.all(rest);
  return joined(four ?? first, six ?? first);
}

function joined(four: Answered, six: Answered): Answered {
  if (four.kind === 'addresses' && six.kind === 'addresses') {
    return {
      kind: 'addresses',
      addresses: [...new Set([...four.addresses, ...six.addresses])],
      keepMs: Math.min(four.keepMs, six.keepMs),
    };
  }
  if (four.kind === 'addresses') return four;
  if (six.kind === 'addresses') return six;
  // That there is no such name is said of all its kinds of addresses.
  const gone = [four, six].find(({ kind, why }) => kind === 'absent' && why !== 'ENODATA');
  if (gone !== undefined) return gone;
  return four.kind === 'silent' ? four : six;
}

async function settle(
  question: Promise<ReadonlyArray<{ readonly address: string; readonly ttl: number }>>,
): Promise<Answered> {
  try {
    const records = await question;
    if (records.length === 0) return { kind: 'absent', why: 'ENODATA' };
    const keepS = Math.min(LONGEST_KEPT_S, ...records.map(({ ttl }) => ttl));
    return {
      kind: 'addresses',
      addresses: records.map(({ address }) => address),
      keepMs: Math.max(0, keepS) * 1_000,
    };
  } catch (error) {
    const why = systemCode(error) || String(error);
    return { kind: ABSENT.has(why) ? 'absent' : 'silent', why };
  }
}

/** A server that drops questions for one kind of address does not hold up the other one. */
async function orSoon(question: Promise<Answered>): Promise<Answered> {
  let timer: NodeJS.Timeout | undefined;
  const soon = new Promise<Answered>((resolve) => {
    const late = (): void => resolve({ kind: 'silent', why: 'ETIMEOUT' });
    // What lies in the socket is read first.
    timer = setTimeout(() => setImmediate(late), OTHER_KIND_MS);
  });
  const said = await Promise.race([question, soon]);
  clearTimeout(timer);
  return said;
}
