import { HeartwireError } from '../errors.ts';
import { FAULT_EXAMPLES } from '../simulator/faults.ts';
import { SimulatedFleet, type SimulatedFleetOptions } from '../simulator/simulated-fleet.ts';
import { systemClock } from '../system/clock.ts';
import type { Command } from './command.ts';
import { fleetOptions, type SimulateArgs } from './simulate-options.ts';
import { SUMMARY_EVERY_MS, simulateReport } from './simulate-report.ts';
import { stopRequest } from './stop-request.ts';

/** Runs fake devices until it is told to stop. */
export const simulate: Command<SimulateArgs> = {
  usage: 'simulate',
  describe: 'Run fake devices that dial in, are dialled, or sit on a serial line, with faults on request',
  examples: [
    ['heartwire simulate --connect 127.0.0.1:9089 --count 20', '20 devices dial a listening bridge'],
    [
      'heartwire simulate --listen 9100 --clock-offset -90s',
      'one device waits to be dialled; its clock is late',
    ],
    ['heartwire simulate --connect 127.0.0.1:9089 --fault drop=0.01,stall=5s', 'a device in trouble'],
    ['heartwire simulate --pty /dev/ttyUSB1', 'a device at the other end of a serial line'],
  ],
  options: (yargs) =>
    yargs
      .option('connect', { type: 'string', requiresArg: true, describe: 'HOST:PORT to dial' })
      .option('listen', {
        type: 'string',
        requiresArg: true,
        describe: '[HOST:]PORT to wait at; further devices take the ports behind it; 0 takes any',
      })
      .option('pty', { type: 'string', requiresArg: true, describe: 'Serial port to sit at, ?baud= and all' })
      .option('count', { type: 'number', default: 1, describe: 'How many devices' })
      .option('every', { type: 'string', describe: 'Heartbeat interval, 3s by default where it dials' })
      .option('ask-time', { type: 'string', describe: 'Ask the time so often, e.g. 10s' })
      .option('early', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: 'Asked before it registers: heartbeat, datetime or both',
      })
      .option('register-once', {
        type: 'boolean',
        default: false,
        describe: 'Never register again after a cut',
      })
      .option('appid', { type: 'string', describe: 'UUID of the first device' })
      .option('imei', { type: 'string', describe: 'IMEI of the first device' })
      .option('clock-offset', {
        nargs: 1,
        type: 'string',
        describe: "How far its clock is ahead: 2s, or -1h for one that's late",
      })
      .option('time-zone', { type: 'string', describe: 'Where its clock hangs, e.g. Asia/Shanghai' })
      .option('fault', {
        type: 'string',
        array: true,
        default: [] as string[],
        describe: `Any of ${FAULT_EXAMPLES.join(', ')}`,
      })
      .option('seed', {
        type: 'number',
        default: 1,
        describe: 'The same seed makes the same devices and damage; give a second fleet another one',
      })
      .option('json', { type: 'boolean', default: false, describe: 'Print what happens as JSON lines' }),
  async run(args, io) {
    let options: SimulatedFleetOptions;
    try {
      options = fleetOptions(args);
    } catch (error) {
      if (!(error instanceof HeartwireError)) throw error;
      io.err(`heartwire: ${error.message}\n`);
      return 2;
    }
    // Asked for from the start: a signal that comes while it starts must not be lost.
    using stop = stopRequest(io, { withOutput: true });
    const report = simulateReport(
      io,
      args,
      () => fleet.counts(),
      () => systemClock.now().wallMs,
    );
    const fleet = new SimulatedFleet(options, { clock: systemClock, report: (event) => report.event(event) });
    await using running = fleet;
    await running.start();
    const ticking = setInterval(() => report.tick(), SUMMARY_EVERY_MS);
    await stop.requested;
    clearInterval(ticking);
    await running.stop();
    report.ended();
    return 0;
  },
};
