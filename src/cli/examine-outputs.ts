import { resolve } from 'node:path';
import type { OutputConfig } from '../config/index.ts';
import { LARGEST_SECRET, readRegular } from '../system/index.ts';
import { bad, examineAddress, examineFolder, type Finding } from './examine.ts';

const ANSWER_MS = 5_000;
const PORTS: Readonly<Record<string, number>> = {
  'http:': 80,
  'https:': 443,
  'mqtt:': 1883,
  'mqtts:': 8883,
  'smtp:': 587,
  'smtps:': 465,
};

/** What an output needs: its secrets, its folder, and another side that answers. Nothing is sent. */
export function examineOutput(output: OutputConfig, cwd: string): Array<() => Promise<Finding>> {
  const about = `outputs.${output.kind}`;
  const secrets = Object.entries(output).flatMap(([key, value]) =>
    key.endsWith('File') && typeof value === 'string' ? [resolve(cwd, value)] : [],
  );
  const folder = output.kind === 'influx' ? output.bufferDir : undefined;
  return [
    ...secrets.map((path) => () => examineSecret(about, path)),
    ...(folder === undefined
      ? []
      : [() => examineFolder(about, resolve(cwd, folder), 'output_buffer_unusable', '`buffer_dir`')]),
    () => examineOtherSide(about, output.url),
  ];
}

async function examineOtherSide(about: string, text: string): Promise<Finding> {
  const url = new URL(text);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || PORTS[url.protocol]);
  const found = await examineAddress(about, { scheme: 'tcp', host, port }, ANSWER_MS);
  if (found.code !== undefined) return { ...found, code: 'output_unreachable' };
  return { ...found, detail: `${found.detail} \`heartwire outputs --try\` sends a test through it.` };
}

async function examineSecret(about: string, path: string): Promise<Finding> {
  try {
    await readRegular(path, LARGEST_SECRET);
    return { about, detail: `${path} can be read.` };
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    return bad(about, { code: 'output_secret_unreadable', detail: `${path} could not be read: ${why}` });
  }
}
