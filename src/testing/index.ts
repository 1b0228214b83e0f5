export type { StateDocument } from '../contract/feed/index.ts';
export type { Expectation, TraceEvent, TraceFact, TraceHead, Unmet } from '../trace/index.ts';
export { type Fault, ReplayedTrace, type ReplayTestOptions, replay } from './replay.ts';
export { type Trace, traceFixture, traceText } from './trace-fixture.ts';
