export { declarationText, readDeclaration } from './declaration-text.ts';
export { type Candidate, matchProtocols, type ProtocolMatch } from './match-protocols.ts';
export { readInput } from './read-input.ts';
