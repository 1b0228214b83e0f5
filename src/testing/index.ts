export type { StateDocument } from '../contract/feed/topic-documents.ts';
export type { Expectation, TraceEvent, TraceFact, TraceHead } from '../trace/event.ts';
export type { Unmet } from '../trace/expectations.ts';
export { type Fault, ReplayedTrace, type ReplayTestOptions, replay } from './replay.ts';
export { type Trace, traceFixture, traceText } from './trace-fixture.ts';
