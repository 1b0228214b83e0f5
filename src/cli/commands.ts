// `npm run generate` writes this file from those in `commands/`.
import type { LoadableCommand } from './command.ts';

/** The commands as `--help` lists them; the file of one is only loaded where it is named. */
export const COMMANDS: readonly LoadableCommand[] = [
  {
    usage: 'run [file]',
    describe: 'Run the bridge: devices in, feed and page out',
    load: () => import('./commands/run.ts'),
  },
  {
    usage: 'gateway [file]',
    describe: 'Serve the feed of other instances, without devices of its own',
    load: () => import('./commands/gateway.ts'),
  },
  {
    usage: 'demo',
    describe: 'Run the bridge on simulated devices, to see what it does',
    load: () => import('./commands/demo.ts'),
  },
  {
    usage: 'init [file]',
    describe: 'Write a devices.yaml: find ports, listen to what comes, propose speed, pack or messages',
    load: () => import('./commands/init.ts'),
  },
  {
    usage: 'check [file]',
    describe: 'Print every problem of a configuration, with file, line and column; opens nothing',
    load: () => import('./commands/check.ts'),
  },
  {
    usage: 'doctor [file]',
    describe: 'Say what would not work on this machine: ports, rights, addresses, folders, limits',
    load: () => import('./commands/doctor.ts'),
  },
  {
    usage: 'ports',
    describe: 'List the serial ports, with what to write in devices.yaml',
    load: () => import('./commands/ports.ts'),
  },
  {
    usage: 'key',
    describe: 'Print a new key for the encryption of payloads (secrecy in devices.yaml)',
    load: () => import('./commands/key.ts'),
  },
  {
    usage: 'schema <of>',
    describe: 'Print the JSON Schema of a configuration file, for editors',
    load: () => import('./commands/schema.ts'),
  },
  {
    usage: 'guess <file>',
    describe:
      'Find out how a device talks: packs that fit, framing, checksum and fields, each with its evidence',
    load: () => import('./commands/guess.ts'),
  },
  {
    usage: 'decode [input..]',
    describe: 'Print what bytes mean, field by field; bytes as hex, in a file, or from standard input (-)',
    load: () => import('./commands/decode.ts'),
  },
  {
    usage: 'encode <message> [fields..]',
    describe: 'Print the bytes of a message as hex; fields as field=value',
    load: () => import('./commands/encode.ts'),
  },
  {
    usage: 'types [messages]',
    describe: 'Print TypeScript types of the declared messages, for subscribers',
    load: () => import('./commands/types.ts'),
  },
  {
    usage: 'packs [pack]',
    describe: 'List the packs of declared messages (messages: pack:NAME), show one, or check one',
    load: () => import('./commands/packs.ts'),
  },
  {
    usage: 'registers <file>',
    describe: 'Turn a table of Modbus registers (CSV) into a register map, or a map into a table',
    load: () => import('./commands/registers.ts'),
  },
  {
    usage: 'replay <trace..>',
    describe: 'Play traces: print what devices said, what became of them and what was sent, or compare it',
    load: () => import('./commands/replay.ts'),
  },
  {
    usage: 'export <trace>',
    describe: 'Write a trace frame by frame: pcapng for Wireshark, CSV for spreadsheets, JSON lines',
    load: () => import('./commands/export.ts'),
  },
  {
    usage: 'import <file>',
    describe: 'Make a trace of a capture (pcapng, pcap), of a hex dump, or of a log of raw bytes',
    load: () => import('./commands/import.ts'),
  },
  {
    usage: 'dissector',
    describe: 'Print a Wireshark dissector (Lua) of the messages, for exported traces and for TCP captures',
    load: () => import('./commands/dissector.ts'),
  },
  {
    usage: 'note <device> <text..>',
    describe: 'Write a note into the trace of a device, and keep what it said until now as an incident',
    load: () => import('./commands/note.ts'),
  },
  {
    usage: 'history <device> [fields..]',
    describe: 'Write the values that a bridge has kept of a device: CSV, JSON lines or Parquet',
    load: () => import('./commands/history.ts'),
  },
  {
    usage: 'events [device]',
    describe: 'Print what happened: statuses with their reasons, alarms, commands',
    load: () => import('./commands/events.ts'),
  },
  {
    usage: 'incidents [id]',
    describe: 'List the incidents of a running bridge, tell what led to one, or fetch its trace',
    load: () => import('./commands/incidents.ts'),
  },
  {
    usage: 'outputs [file]',
    describe: 'Show the outputs of a running bridge with their counts, or try those of a configuration',
    load: () => import('./commands/outputs.ts'),
  },
  {
    usage: 'send <device> [message] [fields..]',
    describe: 'Send a command to a device through a running bridge, and print its reply',
    load: () => import('./commands/send.ts'),
  },
  {
    usage: 'simulate',
    describe: 'Run fake devices that dial in, are dialled, or sit on a serial line, with faults on request',
    load: () => import('./commands/simulate.ts'),
  },
  {
    usage: 'tail [pattern..]',
    describe: 'Print the live feed of a bridge: JSON lines in a pipe, one short line each on a terminal',
    load: () => import('./commands/tail.ts'),
  },
  {
    usage: 'token',
    describe: 'Make an access token: print it once, and the lines with its hash for devices.yaml',
    load: () => import('./commands/token.ts'),
  },
  {
    usage: 'monitor [filter..]',
    describe: 'Watch the devices of a bridge in a live table; in a pipe, one line for each change of status',
    load: () => import('./commands/monitor.ts'),
  },
];
