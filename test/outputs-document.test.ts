import { describe, expect, it } from 'vitest';
import { loadConfig } from '../src/config/load.ts';
import { formatProblem } from '../src/config/problem.ts';
import { MqttTopics } from '../src/outputs/core/mqtt-topics.ts';
import { Endpoint } from './support/endpoint.ts';
import { OutputWorld } from './support/output-world.ts';
import { readProjectFile } from './support/project-files.ts';

const REFERENCE = 'docs/reference/outputs.md';
const PAGES = [
  REFERENCE,
  ...['home-assistant', 'grafana', 'alarms-to-a-phone'].flatMap((name) => [
    `docs/how-to/${name}.md`,
    `docs/zh-CN/how-to/${name}.md`,
  ]),
];
const LISTEN = 'listeners: [{ link: "tcp-listen:127.0.0.1:0" }]\n';

const problemsOf = (yaml: string): readonly string[] =>
  loadConfig(yaml, 'devices.yaml').problems.map(formatProblem);

/** The entries of `outputs` in each block of a page. */
const blocksOf = (text: string): readonly string[] =>
  [...text.matchAll(/```yaml\n([\s\S]*?)```/g)].flatMap(
    ([, yaml = '']) => /^outputs:\n(?: .*\n)+/m.exec(yaml) ?? [],
  );

describe.each(PAGES)('%s', (page) => {
  const text = readProjectFile(page);

  it('shows outputs without a problem', () => {
    const blocks = blocksOf(text);
    expect(blocks.length).toBeGreaterThan(0);
    expect(blocks.flatMap((block) => problemsOf(LISTEN + block))).toEqual([]);
  });

  it('names no value of a webhook that there is not', () => {
    const named = [...text.matchAll(/`((?:language|format|quiet|for|on): [^`]+)`/g)].map(
      ([, pair = '']) => pair,
    );
    const entry = (pair: string) => `${LISTEN}outputs: [{ webhook: { url: "http://127.0.0.1/", ${pair} } }]`;
    expect(named.flatMap((pair) => problemsOf(entry(pair)))).toEqual([]);
  });
});

describe(REFERENCE, () => {
  const text = readProjectFile(REFERENCE);

  it('lists the topics that there are', () => {
    const listed = [...text.matchAll(/^\| `(heartwire\/[^`]+)` \|/gm)].map(([, topic]) => topic);
    const topics = new MqttTopics('heartwire', 'homeassistant');
    const of = [topics.bridge, topics.state('<id>'), topics.availability('<id>'), topics.alarms('<id>')];
    expect(listed).toEqual([...of, topics.command('<id>', '<message>'), topics.result('<id>', '<message>')]);
  });

  it('shows the state of an output with the keys that it has', async () => {
    await using endpoint = await Endpoint.start();
    await endpoint.stop();
    await using world = new OutputWorld();
    await world.apply(`  - influx: { url: "${endpoint.url}", bucket: b, batch: 0s }`);
    world.sample('a', 't', { n: 1 });
    await expect.poll(() => world.shown().status).toBe('backoff');
    const [, json = '{}'] = /```json\n(\{"outputs"[\s\S]*?)```/.exec(text) ?? [];
    const [shown] = JSON.parse(json).outputs;
    expect(Object.keys(world.shown())).toEqual(Object.keys(shown));
  });
});
