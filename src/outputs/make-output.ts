import type { OutputConfig } from '../config/index.ts';
import { InfluxOutput } from './influx-output.ts';
import { MailCarrier } from './mail-carrier.ts';
import { MqttOutput } from './mqtt-output.ts';
import { NoticeOutput } from './notice-output.ts';
import type { Output, OutputPorts } from './output.ts';
import { WebhookCarrier } from './webhook-carrier.ts';

export function makeOutput(config: OutputConfig, ports: OutputPorts): Output {
  switch (config.kind) {
    case 'mqtt':
      return new MqttOutput(config, ports);
    case 'influx':
      return new InfluxOutput(config, ports);
    case 'webhook':
      return new NoticeOutput(config, ports, new WebhookCarrier(config, ports));
    case 'mail':
      return new NoticeOutput(config, ports, new MailCarrier(config, ports));
  }
}
