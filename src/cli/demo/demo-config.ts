/** Where the simulated devices are, for the `devices.yaml` of the demo. */
export interface DemoPlaces {
  /** Addresses as in `link`, by device or bus. */
  readonly links: Readonly<Record<string, string>>;
  readonly port: number;
  readonly linesPort: number;
  readonly origins: readonly string[];
  /** The folder of the declared messages of the demo. */
  readonly messages: string;
  /** Where the bridge keeps what it writes. */
  readonly folder: string;
  /** Ports of the listeners: devices with the built-in messages, and trackers. */
  readonly listeners: readonly [number, number];
}

export const APPID = '996da38d-a7be-4947-aa4c-f8208b5f4ade';
export const PSU_IMEI = '869858030720693';
export const RACK_IMEI = '490154203237518';
export const NAMED_IMEI = '356938035643809';
export const TRUCKS = ['356307042441013', '356307042441021', '356307042441039'] as const;
export const METERS = [1, 2, 3] as const;
/** A device on a bad cable, and the board that prints lines: where the system has no ptys, the first is left out. */
export const NOISY = 'bench-3';

/** The configuration that the demo runs, as one would write it. */
export function demoConfig({
  links,
  port,
  linesPort,
  origins,
  messages,
  folder,
  listeners,
}: DemoPlaces): string {
  const register = (imei: string): string => `{ appid: ${APPID}, imei: "${imei}" }`;
  const [own, trackers] = listeners;
  const noisy = links[NOISY];
  return `# The bridge of \`heartwire demo\`: a bench and a field. All devices are simulated; the links are real.
server:
  port: ${port}
  tcp: { port: ${linesPort} }
  origins: ${JSON.stringify(origins)}
files: { dir: ${JSON.stringify(`${folder}/files`)}, budget_mb: 16, max_files: 40 }
history: { dir: ${JSON.stringify(`${folder}/history`)}, budget_mb: 64 }
black_box: { before: 1m, after: 5s, dir: ${JSON.stringify(`${folder}/incidents`)} }

defaults:
  reconnect: { initial: 1s, max: 5s }

buses:
  - { id: rs485-1, link: "${links['rs485-1']}", turnaround: 20ms, timeout: 400ms }

devices:
  # The bench
  - { id: supply, label: Bench supply 台式电源, group: Bench 工作台, link: "${links.supply}", session: none, messages: "pack:scpi-supply" }
  - { id: thermostat, label: Thermostat 恒温器, group: Bench 工作台, link: "${links.thermostat}", session: none, messages: ${JSON.stringify(`${messages}/thermostat.yaml`)} }
  - { id: board, label: Sensor board 传感器板, group: Bench 工作台, link: "${links.board}", session: none, messages: "pack:csv-line" }
  - { id: logger, label: Data logger 数据记录仪, group: Bench 工作台, link: "${links.logger}", session: none, messages: ${JSON.stringify(`${messages}/logger.yaml`)} }

  # Three meters on one line; one of them fails now and then
${METERS.map(
  (address) =>
    `  - { id: meter-${address}, label: Meter ${address} 电表, group: RS-485, bus: rs485-1, address: ${address}, silence: 4s, messages: "pack:pzem-004t-v3" }\n`,
).join('')}
  # Devices with a heartbeat: we register with them, beat, and ask for their clocks
  - { id: psu-1, label: Power supply 电源, group: Rack 机柜, link: "${links['psu-1']}", register: ${register(PSU_IMEI)}, clock: { every: 60s, time_zone: UTC } }
  - { id: rack-7, label: Rack controller 机柜控制器, group: Rack 机柜, link: ["tcp:127.0.0.1:1", "${links['rack-7']}"], register: ${register(RACK_IMEI)} }
${noisy === undefined ? '' : `  - { id: ${NOISY}, label: Noisy serial line 有噪声的串口, group: Rack 机柜, link: "${noisy}", register: ${register(RACK_IMEI)} }\n`}
  # The field: they dial in
${TRUCKS.map(
  (imei, index) =>
    `  - { id: truck-${index + 1}, label: Truck ${index + 1} 卡车, group: Field 车队, match: { identity: "${imei}" }, messages: "pack:gt06", silence: 12s, presence: { every: 25s } }\n`,
).join(
  '',
)}  - { id: tracker-9, label: Tracker 9 定位器, group: Field 车队, match: { imei: "${NAMED_IMEI}" }, presence: { every: 20s } }

listeners:
  - { link: "tcp-listen:127.0.0.1:${own}", presence: { every: 20s } }
  - { link: "tcp-listen:127.0.0.1:${trackers}", messages: "pack:gt06" }
`;
}
