export type { StateDocument } from '../devices/core/state-document.ts';
export type { Expectation, TraceEvent, TraceFact, TraceHead } from '../trace/event.ts';
export type { Unmet } from '../trace/expectations.ts';
export { type Fault, ReplayedTrace, type ReplayTestOptions, replay } from './replay.ts';
export { type Trace, traceFixture, traceText } from './trace-fixture.ts';
