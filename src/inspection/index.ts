export { declarationText } from './declaration-text.ts';
export type { ProtocolMatch } from './match-protocols.ts';
export { readInput } from './read-input.ts';
