export { defaultSilenceMs, Silences, type TraceEvent, type TraceHead, withSilences } from '../trace/index.ts';
export { declarationText, readDeclaration } from './declaration-text.ts';
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
export { needsSilence, protocolOf, TraceInspector } from './trace-inspector.ts';
export { traceText } from './trace-text.ts';
