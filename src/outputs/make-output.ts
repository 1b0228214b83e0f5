import type { OutputConfig } from '../config/index.ts';
import type { Output, OutputKind, OutputPorts } from './output.ts';
import { OUTPUT_KINDS } from './output-kinds.ts';

type Kind = OutputConfig['kind'];

const KINDS: { readonly [K in Kind]: OutputKind<K> } = OUTPUT_KINDS;

export function makeOutput(config: OutputConfig, ports: OutputPorts): Output {
  // The table has each under the kind that its configuration names.
  return (KINDS[config.kind] as OutputKind<Kind>).make(config, ports);
}

/** What a test of an output brought about. */
export const takenText = (kind: Kind): string => KINDS[kind].taken;
