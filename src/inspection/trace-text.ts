import { formatEvent, formatMeta, TRACE_MAGIC, type TraceEvent, type TraceHead } from '../trace/index.ts';

/** Events as the text of a trace. */
export function traceText({ startMs, meta }: TraceHead, events: readonly TraceEvent[]): string {
  const words = formatMeta(meta);
  const head = [
    TRACE_MAGIC,
    `#start ${new Date(startMs).toISOString()}`,
    ...(words === '' ? [] : [`#meta ${words}`]),
  ];
  return `${head.join('\n')}\n${events.map((event) => formatEvent(event)).join('')}`;
}
