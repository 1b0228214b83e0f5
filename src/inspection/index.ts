export { declarationText } from './declaration-text.ts';
export { matchProtocols, type ProtocolMatch } from './match-protocols.ts';
export { readInput } from './read-input.ts';
