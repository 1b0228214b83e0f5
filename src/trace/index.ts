export { MOST_LINE_BYTES, parseBytes, toHex } from './bytes-text.ts';
export type { Expectation, LifeWord, TraceEvent, TraceFact, TraceHead } from './event.ts';
export { Expectations, type Unmet } from './expectations.ts';
export {
  formatEvent,
  formatExpectation,
  formatHead,
  formatMeta,
  formatSum,
  oneLine,
  TRACE_END,
  TRACE_MAGIC,
} from './format-trace.ts';
export { parseFact } from './parse-line.ts';
export { TraceParser } from './parser.ts';
export { addSilences, defaultSilenceMs, Silences, withSilences } from './silences.ts';
