import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { loadConfig } from '../../src/config/load.ts';
import { type FullScrape, fullScrape } from '../support/full-scrape.ts';
import { needs } from '../support/needs.ts';
import { PROJECT_ROOT, readProjectFile } from '../support/project-files.ts';

const promtool = needs('promtool');
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

let scrape: FullScrape;
let real: ReadonlyMap<string, ReadonlySet<string>> = new Map();
beforeAll(async () => {
  scrape = await fullScrape();
  real = scrape.series;
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

describe.each([
  ['grafana-dashboard.json', 25],
  ['grafana-values.json', 5],
] as const)('the Grafana dashboard %s', (file, least) => {
  interface Panel {
    readonly title: string;
    readonly description?: string;
    readonly type: string;
    readonly id: number;
    readonly targets?: readonly { readonly expr: string; readonly legendFormat: string }[];
  }
  const dashboard = JSON.parse(readProjectFile(`docs/deploy/${file}`)) as { panels: Panel[] };
  const charts = dashboard.panels.filter(({ type }) => type !== 'row');

  it('shows only what there is', () => {
    const targets = charts.flatMap(({ targets = [] }) => targets);
    expect(targets.length).toBeGreaterThan(least);
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

describe.runIf(promtool.run)('promtool', () => {
  const check = (...args: string[]) =>
    spawnSync(promtool.path, args, { input: scrape.text, encoding: 'utf8' });

  it('finds nothing in a scrape, not even against the conventions of names', () => {
    const { status, stdout, stderr } = check('check', 'metrics');
    expect(stdout + stderr).toBe('');
    expect(status).toBe(0);
  });

  it('finds out a scrape that is wrong', () => {
    const { status } = spawnSync(promtool.path, ['check', 'metrics'], {
      input: 'x{a=1} 2\n',
      encoding: 'utf8',
    });
    expect(status).not.toBe(0);
  });

  it('takes the alert rules', () => {
    const { status, stdout, stderr } = check(
      'check',
      'rules',
      fileURLToPath(new URL('docs/deploy/prometheus-alerts.yml', `file://${PROJECT_ROOT}/`)),
    );
    expect([status, stdout, stderr]).toEqual([0, expect.stringMatching(/SUCCESS: \d+ rules found/), '']);
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

describe('docs/reference/observability.md', () => {
  it('lists every metric with its type, its labels and what it is', () => {
    const listed =
      readProjectFile('docs/reference/observability.md').match(/^\| `(?:heartwire|process)_.*$/gm) ?? [];
    const told = [...scrape.families].map(([name, { type, help, labels }]) => {
      const quoted = [...labels].sort().map((label) => `\`${label}\``);
      return `| \`${name}\` | ${type} | ${quoted.join(', ')} | ${help} |`;
    });
    expect(listed).toEqual(told);
  });

  it('shows a configuration without a problem', () => {
    const text = readProjectFile('docs/reference/observability.md');
    const shown = [...text.matchAll(/```yaml\n((?:devices|metrics):[\s\S]*?)```/g)].map(
      ([, yaml = '']) => yaml,
    );
    const [devices = '', perDevice = '', values = '', ...more] = shown;
    expect(more).toEqual([]);
    const { config, problems } = loadConfig(devices + perDevice, 'devices.yaml');
    expect(problems).toEqual([]);
    expect(config).toMatchObject({ metrics: { perDevice: true }, requiredDevices: ['psu-1'] });
    expect(loadConfig(devices + values, 'devices.yaml').problems).toEqual([]);
  });
});
