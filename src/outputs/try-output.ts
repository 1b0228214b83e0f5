import type { LookupFunction } from 'node:net';
import type { OutputConfig } from '../config/index.ts';
import type { ErrorCode } from '../errors.ts';
import type { Clock } from '../system/index.ts';
import { makeOutput, takenText } from './make-output.ts';
import type { OutputReport } from './output.ts';

/** What became of a test. */
export interface TryResult {
  readonly kind: OutputConfig['kind'];
  /** Without what may be secret in it. */
  readonly url: string;
  readonly ok: boolean;
  readonly code?: ErrorCode | undefined;
  readonly detail: string;
}

const LONGEST_MS = 15_000;
const LOOK_MS = 20;

/**
 * Sends a test through an output as a bridge would, without one: into its database, its topic, its chat. A broker is not
 * told that a bridge is there or gone, and what waits for it on the disk is left alone.
 */
export async function tryOutput(
  config: OutputConfig,
  ports: { readonly clock: Clock; readonly version: string; readonly lookup: LookupFunction },
): Promise<TryResult> {
  const { clock } = ports;
  const output = makeOutput(inMemory(config), {
    ...ports,
    trial: true,
    random: Math.random,
    document: () => undefined,
    command: () => Promise.reject(new Error('a test carries out no command')),
    defect: () => undefined,
    changed: () => undefined,
    lost: () => undefined,
  });
  const { kind } = config;
  const url = shownUrl(config.url);
  await output.start();
  output.test();
  const endsAt = clock.now().monoMs + LONGEST_MS;
  try {
    for (;;) {
      const report = output.report();
      if (report.sent > 0) return { kind, url, ok: true, detail: takenText(kind) };
      const over = clock.now().monoMs >= endsAt;
      if (over || report.status === 'backoff' || report.status === 'failed')
        return { kind, url, ok: false, ...whyOf(report) };
      await new Promise<void>((resolve) => clock.setTimer(clock.now().monoMs + LOOK_MS, resolve));
    }
  } finally {
    await output.close();
  }
}

function inMemory(config: OutputConfig): OutputConfig {
  if (config.kind !== 'influx') return config;
  const { bufferDir: _, ...rest } = config;
  return rest;
}

function whyOf({ reason = 'output_unreachable', detail }: OutputReport): Pick<TryResult, 'code' | 'detail'> {
  return { code: reason, detail: detail ?? 'There was no answer.' };
}

/** The address of a hook is often its secret: of its path nothing is shown. */
export function shownUrl(text: string): string {
  const url = new URL(text);
  return `${url.protocol}//${url.host}`;
}
