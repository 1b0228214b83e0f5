import { createRequire } from 'node:module';
import { pino } from 'pino';
import { printable } from './printable.ts';

/** What the runtime says about itself; a pino logger is one. */
export interface Log {
  info(fields: object, text: string): void;
  warn(fields: object, text: string): void;
  error(fields: object, text: string): void;
}

export interface LogOptions {
  /** For people, in colour; else one JSON object a line. */
  readonly pretty: boolean;
  readonly level?: 'info' | 'warn' | 'error' | 'silent';
  /** Where whole lines go; called synchronously, so that the last words before an exit are not lost. */
  write(line: string): void;
}

/** As pino counts levels. */
const WARNING = 40;

export function createLog(options: LogOptions): Log {
  const settings = { level: options.level ?? 'info', base: null };
  if (!options.pretty) return pino(settings, { write: (line: string) => options.write(line) });
  // Loaded for people only: it takes as long as the log itself. It is no ES module, and has the type that it says.
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  const prettify = prettyFactory({
    colorize: true,
    translateTime: 'SYS:HH:MM:ss',
    messageFormat: (fields, key) => {
      const device = fields.device ? `${fields.device}: ` : '';
      // What to look up, where something is to be done.
      const code = Number(fields.level) >= WARNING && fields.code ? ` [${fields.code}]` : '';
      return printable(`${device}${fields[key]}${code}`);
    },
    hideObject: true,
  });
  return pino(settings, { write: (line: string) => options.write(prettify(line)) });
}
