import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { PROJECT_ROOT, projectFiles, readProjectFile } from './support/project-files.ts';

interface Step {
  readonly uses?: string;
  readonly run?: string;
}
interface Job {
  readonly 'runs-on'?: string;
  readonly 'timeout-minutes'?: number;
  readonly strategy?: {
    readonly matrix: { readonly os?: readonly string[]; readonly node?: readonly number[] };
  };
  readonly steps: readonly Step[];
}
interface Workflow {
  readonly name: string;
  readonly on: unknown;
  readonly permissions?: unknown;
  readonly jobs: Readonly<Record<string, Job>>;
}

const files = projectFiles(['.github'], ['.yml', '.yaml']);
const workflows = files.filter((file) => file.startsWith('.github/workflows/'));
const read = (file: string): Workflow => parse(readProjectFile(file));
const stepsOf = (file: string): readonly Step[] =>
  Object.values(read(file).jobs).flatMap(({ steps }) => steps);
const manifest: {
  readonly scripts: Readonly<Record<string, string>>;
  readonly engines: { readonly node: string };
  readonly repository?: unknown;
  readonly homepage?: unknown;
  readonly bugs?: unknown;
} = JSON.parse(readProjectFile('package.json'));

describe('.github', () => {
  it('is YAML that can be read', () => {
    expect(files.length).toBeGreaterThanOrEqual(6);
    for (const file of files) expect(parse(readProjectFile(file))).toBeTypeOf('object');
  });

  it.each(workflows)('%s has jobs with an end, and rights that are written out', (file) => {
    const { name, on, permissions, jobs } = read(file);
    expect(name).toBeTypeOf('string');
    expect(on).toBeDefined();
    expect(permissions).toBeDefined();
    for (const job of Object.values(jobs)) {
      expect(job['runs-on']).toBeTypeOf('string');
      expect(job['timeout-minutes']).toBeGreaterThan(0);
      expect(job.steps.every(({ uses, run }) => (uses === undefined) !== (run === undefined))).toBe(true);
    }
  });

  it.each(workflows)('%s names every action by its commit', (file) => {
    const used = stepsOf(file).flatMap(({ uses }) => uses ?? []);
    expect(used.filter((each) => !/^[\w.-]+\/[\w.-]+@[0-9a-f]{40}$/.test(each))).toEqual([]);
    // The version stands behind it, for people and for dependabot.
    const lines = readProjectFile(file)
      .split('\n')
      .filter((line) => /\buses:/.test(line));
    expect(lines.filter((line) => !/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/.test(line))).toEqual([]);
  });

  it.each(workflows)('%s calls scripts and files that are there', (file) => {
    const commands = stepsOf(file).flatMap(({ run }) => run?.split('\n') ?? []);
    for (const command of commands) {
      const [, script] = /^npm (?:run (\S+)|test\b)/.exec(command) ?? [];
      if (/^npm (?:run |test\b)/.test(command)) expect(manifest.scripts).toHaveProperty(script ?? 'test');
      for (const [path = ''] of command.matchAll(/(?<![\w/.])(?:\.ci|docs|scripts)\/[\w./-]+/g))
        expect([path, existsSync(join(PROJECT_ROOT, path))]).toEqual([path, true]);
    }
  });

  it('tests every Node that is alive, from the oldest that the package takes, on three systems', () => {
    const { os = [], node = [] } = read('.github/workflows/ci.yml').jobs.test?.strategy?.matrix ?? {};
    expect(os).toEqual(['ubuntu-latest', 'macos-latest', 'windows-latest']);
    expect(node).toEqual([20, 22, 24, 26]);
    expect(manifest.engines.node).toMatch(new RegExp(`^>=${Math.min(...node)}\\b`));
  });
});

describe('the package', () => {
  it('names no address that nothing was published at; a release writes its own', () => {
    const { repository, homepage, bugs } = manifest;
    expect([repository, homepage, bugs]).toEqual([undefined, undefined, undefined]);
    const release = stepsOf('.github/workflows/release.yml')
      .flatMap(({ run }) => run ?? [])
      .join('\n');
    for (const key of ['repository.url', 'homepage', 'bugs.url']) expect(release).toContain(`"${key}=`);
    expect(release.indexOf('repository.url')).toBeLessThan(release.indexOf('npm publish --provenance'));
  });
});

describe('what is deployed', () => {
  const compose: {
    readonly services: Readonly<
      Record<string, { readonly build: { readonly dockerfile: string }; readonly ports: readonly string[] }>
    >;
  } = parse(readProjectFile('docs/deploy/compose.yaml'));

  it('by Docker Compose is built from the Dockerfile, on ports that it exposes', () => {
    const service = compose.services.heartwire;
    const dockerfile = readProjectFile(service?.build.dockerfile ?? '');
    const exposed = /^EXPOSE (.*)$/m.exec(dockerfile)?.[1]?.split(' ') ?? [];
    expect(service?.ports.length).toBeGreaterThan(0);
    for (const port of service?.ports ?? []) expect(exposed).toContain(port.split(':').at(-1));
  });

  it('by Docker Compose as several instances keeps all keys, and lets only instances reach the server', () => {
    const { services, networks } = parse(readProjectFile('docs/deploy/compose-instances.yaml'), {
      merge: true,
    }) as {
      services: Record<string, { command: string[]; networks: string[]; ports?: string[]; build?: unknown }>;
      networks: Record<string, { internal?: boolean }>;
    };
    const { redis, north, south } = services;
    expect(redis?.command.join(' ')).toContain('--maxmemory-policy noeviction');
    expect([redis?.networks, redis?.ports, networks.inside?.internal]).toEqual([['inside'], undefined, true]);
    const exposed = /^EXPOSE (.*)$/m.exec(readProjectFile('docs/deploy/Dockerfile'))?.[1]?.split(' ') ?? [];
    for (const [name, service] of Object.entries({ north, south })) {
      expect(service?.command).toEqual(['run', `/etc/heartwire/${name}.yaml`]);
      expect(service?.build).toEqual({ context: '../..', dockerfile: 'docs/deploy/Dockerfile' });
      for (const port of service?.ports ?? []) expect(exposed).toContain(port.split(':').at(-1));
    }
    const published = [north, south].flatMap((service) => service?.ports ?? []);
    expect(new Set(published.map((port) => port.split(':').at(-2))).size).toBe(published.length);
  });

  it('by WinSW is whole XML that runs the command of the package', () => {
    const text = readProjectFile('docs/deploy/heartwire-winsw.xml');
    const open: string[] = [];
    for (const [, close, name = '', empty] of text
      .replace(/<!--[\s\S]*?-->/g, '')
      .matchAll(/<(\/?)([a-z]+)(?:\s+[a-z]+="[^"]*")*\s*(\/?)>/g)) {
      if (close === '/') expect(open.pop()).toBe(name);
      else if (empty !== '/') open.push(name);
    }
    expect(open).toEqual([]);
    const bin: { readonly bin: { readonly heartwire: string } } = JSON.parse(readProjectFile('package.json'));
    expect(text).toContain(bin.bin.heartwire.replaceAll('/', '\\'));
  });
});
