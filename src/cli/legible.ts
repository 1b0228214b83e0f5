import { printableLines } from '../system/index.ts';
import type { CliIo } from './command.ts';

/**
 * Prints what devices and files say so that no terminal, and no program behind a pipe, takes any of it for an order;
 * standard error too, unless `only` says otherwise.
 */
export function legible(io: CliIo, only: 'both' | 'out' = 'both'): CliIo {
  const out: CliIo['out'] = (text) => io.out(printableLines(text));
  const err: CliIo['err'] = (text) => io.err(only === 'out' ? text : printableLines(text));
  return new Proxy(io, {
    get(target, key) {
      if (key === 'out') return out;
      if (key === 'err') return err;
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}
