import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { parse } from 'yaml';
import { encodeFrame } from '../../src/protocol/codec.ts';
import { parseExposition } from '../support/exposition.ts';
import { readProjectFile } from '../support/project-files.ts';
import { startBridge } from '../support/test-bridge.ts';

/** What Prometheus adds to every series by itself. */
const ADDED = ['job', 'instance'];
const WORDS = new Set(['sum', 'count', 'max', 'min', 'by', 'or', 'and', 'vector', 'rate', 'increase', 'le']);

/** Metrics with the labels that are used of them, as a text of PromQL names them. */
function used(expression: string): {
  readonly metrics: readonly string[];
  readonly labels: readonly string[];
} {
  const bare = expression.replace(/"[^"]*"/g, '""').replace(/\[[^\]]*\]/g, '');
  const grouped = [...bare.matchAll(/\bby \(([^)]*)\)/g)].flatMap(([, list = '']) => list.split(/,\s*/));
  const matched = [...bare.matchAll(/\{([^}]*)\}/g)].flatMap(([, list = '']) =>
    list.split(/,\s*/).map((each) => each.replace(/[=!~].*/, '')),
  );
  const rest = bare.replace(/\bby \([^)]*\)/g, '').replace(/\{[^}]*\}/g, '');
  const metrics = [...rest.matchAll(/\b[a-z_][a-z0-9_]+/g)].map(([name]) => name);
  return {
    metrics: metrics.filter((name) => !WORDS.has(name) && name !== 'histogram_quantile'),
    labels: [...grouped, ...matched].filter((name) => name !== '' && !ADDED.includes(name)),
  };
}

/** Every name of a series, with all labels that were seen of it. */
async function seen(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
  const dir = await mkdtemp(join(tmpdir(), 'heartwire-metrics-'));
  const sockets: Socket[] = [];
  // It answers a register, and says something that is no frame.
  const noisy = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => undefined);
    socket.once('data', () => socket.write(Uint8Array.of(0xde, 0xad, 0xbe, 0xef, 0x99)));
  });
  noisy.listen(0, '127.0.0.1');
  await once(noisy, 'listening');
  const address = noisy.address();
  const port = typeof address === 'object' ? address?.port : undefined;
  const fields = { appid: '3f2504e0-4f89-41d3-9a0c-0305e82c3301', imei: '490154203237518' };
  const register = `register: { appid: ${fields.appid}, imei: "${fields.imei}" }`;
  try {
    await using bridge = await startBridge(`
metrics: { per_device: true }
recording: { dir: ${JSON.stringify(join(dir, 'traces'))} }
files: { dir: ${JSON.stringify(join(dir, 'files'))} }
devices:
  - { id: noisy, link: "tcp:127.0.0.1:${port}", line: serial, record: true, ${register} }
  - { id: gone, link: "tcp:127.0.0.1:1", ${register} }
listeners:
  - { link: "tcp-listen:127.0.0.1:0" }
`);
    const dialIn = connect(bridge.devicePort, '127.0.0.1');
    sockets.push(dialIn);
    dialIn.write(encodeFrame({ name: 'register', kind: 'request', fields }));
    const subscriber = new WebSocket(`${bridge.url.replace('http', 'ws')}/ws`);
    await once(subscriber, 'message');
    subscriber.send(Uint8Array.of(1));
    await once(subscriber, 'close');
    const found = new Map<string, Set<string>>();
    await vi.waitFor(
      async () => {
        const { series } = parseExposition(await (await fetch(`${bridge.url}/metrics`)).text());
        for (const { name, labels } of series) {
          const known = found.get(name) ?? new Set();
          for (const label of Object.keys(labels)) known.add(label);
          found.set(name, known);
        }
        const happened = ['discarded_bytes', 'link_losses', 'log_lines', 'subscriber_closes'];
        expect(happened.filter((each) => !found.has(`heartwire_${each}_total`))).toEqual([]);
      },
      { timeout: 10_000 },
    );
    return found;
  } finally {
    for (const socket of sockets) socket.destroy();
    noisy.close();
    await rm(dir, { recursive: true, force: true });
  }
}

let real: ReadonlyMap<string, ReadonlySet<string>> = new Map();
beforeAll(async () => {
  real = await seen();
});

/** What an expression names and no scrape has. */
function missing(expression: string): readonly string[] {
  const { metrics, labels } = used(expression);
  if (metrics.length === 0) return [`no metric in ${expression}`];
  const ours = metrics.filter((name) => name !== 'up');
  const unknown = ours.filter((name) => !real.has(name));
  const has = (label: string) => ours.length === 0 || ours.some((name) => real.get(name)?.has(label));
  return [...unknown, ...labels.filter((label) => !has(label))];
}

describe('the Grafana dashboard', () => {
  interface Panel {
    readonly title: string;
    readonly description?: string;
    readonly type: string;
    readonly id: number;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }
  const dashboard = JSON.parse(readProjectFile('docs/deploy/grafana-dashboard.json')) as { panels: Panel[] };
  const charts = dashboard.panels.filter(({ type }) => type !== 'row');

  it('shows only what there is', () => {
    const targets = charts.flatMap(({ targets = [] }) => targets);
    expect(targets.length).toBeGreaterThan(25);
    expect(targets.flatMap(({ expr }) => missing(expr))).toEqual([]);
  });

  it('names its lines by labels that are left', () => {
    for (const { expr, legendFormat } of charts.flatMap(({ targets = [] }) => targets)) {
      const kept = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(/,\s*/) ?? [];
      for (const [, label = ''] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) expect(kept).toContain(label);
    }
  });

  it('explains each panel, and has no two of one number', () => {
    for (const { description } of charts) expect(description).toMatch(/^[A-Z].*\.$/);
    expect(new Set(dashboard.panels.map(({ id }) => id)).size).toBe(dashboard.panels.length);
  });
});

describe('the alert rules', () => {
  interface Rule {
    readonly alert: string;
    readonly expr: string;
    readonly labels: { readonly severity: string };
    readonly annotations: { readonly summary: string; readonly description: string };
  }
  const rules = (
    parse(readProjectFile('docs/deploy/prometheus-alerts.yml')) as { groups: { rules: Rule[] }[] }
  ).groups.flatMap((group) => group.rules);

  it('watch only what there is', () => {
    expect(rules.length).toBeGreaterThan(8);
    expect(rules.flatMap(({ expr }) => missing(expr))).toEqual([]);
  });

  it('say how bad it is, and what to do, by labels that are left', () => {
    for (const { alert, expr, labels, annotations } of rules) {
      expect(alert).toMatch(/^Heartwire[A-Z]/);
      expect(['warning', 'critical']).toContain(labels.severity);
      expect(annotations.description).toMatch(/^[A-Z].*\.$/);
      const kept = /\bby \(([^)]*)\)/.exec(expr)?.[1]?.split(/,\s*/);
      for (const [, label = ''] of annotations.summary.matchAll(/\$labels\.(\w+)/g)) {
        const named = used(expr).metrics.some((name) => real.get(name)?.has(label));
        expect(kept?.includes(label) ?? (ADDED.includes(label) || named), `${alert} ${label}`).toBe(true);
      }
    }
  });

  it('are found out where they name what there is not', () => {
    expect(missing('sum by (colour) (rate(heartwire_devices{status="x"}[5m]))')).toEqual(['colour']);
    expect(missing('heartwire_nothing_total > 0')).toEqual(['heartwire_nothing_total']);
  });
});
