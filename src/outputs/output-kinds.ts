// `npm run generate` writes this file from those in this folder that export `output`.
import { output as influx } from './influx-output.ts';
import { output as mail } from './mail-carrier.ts';
import { output as mqtt } from './mqtt-output.ts';
import { output as webhook } from './webhook-carrier.ts';

export const OUTPUT_KINDS = { influx, mail, mqtt, webhook } as const;
