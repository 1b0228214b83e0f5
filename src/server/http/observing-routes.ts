import { type Answer, refusal } from '../../access/http-answer.ts';
import { asyncApiText } from '../../contract/feed/async-api.ts';
import type { BridgeMetrics } from '../metrics/bridge-metrics.ts';
import type { Readiness } from '../readiness.ts';

/** What those who watch the bridge ask for, by path. */
export function observingRoutes(
  metrics: BridgeMetrics,
  readiness: Readiness,
  discreet: () => boolean,
): (path: string) => (() => Answer) | undefined {
  const routes: Readonly<Record<string, () => Answer>> = {
    '/metrics': () => metricsAnswer(metrics),
    '/readyz': () => readyAnswer(readiness, discreet()),
    '/asyncapi.json': () => ({
      status: 200,
      headers: { ...JSON_HEADERS, 'Cache-Control': 'no-cache' },
      body: asyncApiText(),
    }),
  };
  return (path) => (Object.hasOwn(routes, path) ? routes[path] : undefined);
}

const JSON_HEADERS = { 'Content-Type': 'application/json; charset=utf-8', 'Cache-Control': 'no-store' };

/** Put together when it is sent. */
export function metricsAnswer(metrics: Pick<BridgeMetrics, 'contentType' | 'text'>): Answer {
  const headers = { 'Content-Type': metrics.contentType, 'Cache-Control': 'no-store' };
  const later = async (): Promise<Answer> => {
    try {
      return { status: 200, headers, body: await metrics.text() };
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : String(cause);
      return refusal(500, 'metrics_failed', `The metrics could not be put together: ${detail}`);
    }
  };
  return { status: 200, headers, body: '', later };
}

/** 200, or 503 with every reason why not. `discreet`: whoever asks showed no token, and is told no names. */
export function readyAnswer(readiness: Pick<Readiness, 'reasons'>, discreet = false): Answer {
  const reasons = readiness.reasons().map((each) => {
    const { kind, message } = each;
    return discreet ? { kind, message } : each;
  });
  const body = reasons.length === 0 ? { status: 'ready' } : { status: 'not_ready', reasons };
  return {
    status: reasons.length === 0 ? 200 : 503,
    headers: JSON_HEADERS,
    body: `${JSON.stringify(body)}\n`,
  };
}
