import type { OutputConfig } from '../config/index.ts';
import { InfluxOutput } from './influx-output.ts';
import { MailOutput } from './mail-output.ts';
import { MqttOutput } from './mqtt-output.ts';
import type { Output, OutputPorts } from './output.ts';
import { WebhookOutput } from './webhook-output.ts';

export function makeOutput(config: OutputConfig, ports: OutputPorts): Output {
  switch (config.kind) {
    case 'mqtt':
      return new MqttOutput(config, ports);
    case 'influx':
      return new InfluxOutput(config, ports);
    case 'webhook':
      return new WebhookOutput(config, ports);
    case 'mail':
      return new MailOutput(config, ports);
  }
}
