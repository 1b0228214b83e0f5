import { isIP, type LookupFunction } from 'node:net';
import { HeartwireError } from '../../errors.ts';
import { type NameResolver, systemNames } from './name-resolver.ts';

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
