export type { CliIo, Terminal } from './command.ts';
export { errorText } from './error-text.ts';
export { outputNotWritten } from './files.ts';
export { main } from './main.ts';
