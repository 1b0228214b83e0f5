/** The door for the page: what a browser needs to read bytes by itself. */
export { HeartwireError } from '../errors.ts';
export { DeclaredProtocol, hexText } from '../protocol/index.ts';
export {
  defaultSilenceMs,
  parseFact,
  Silences,
  type TraceEvent,
  type TraceFact,
  type TraceHead,
  withSilences,
} from '../trace/index.ts';
export { readDeclaration } from './declaration-text.ts';
export { fieldsOf } from './fields-of.ts';
export type {
  ByteRange,
  Direction,
  DiscardedBytes,
  Inspected,
  InspectedEvent,
  InspectedFrame,
  InspectedGroup,
  Meaning,
  PlacedField,
} from './inspected.ts';
export { type Candidate, matchProtocols, type ProtocolMatch } from './match-protocols.ts';
export { type InputOptions, type InspectedInput, readInput } from './read-input.ts';
export { needsSilence, TraceInspector } from './trace-inspector.ts';
export { traceText } from './trace-text.ts';
