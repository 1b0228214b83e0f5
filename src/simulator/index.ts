export { FAULT_EXAMPLES, parseFaults } from './faults.ts';
export { forkedRandom, randomIdentity, seededRandom } from './random.ts';
export { checkFaultsFit, defaultRole, type FrameCounts, type SimulatorEvent } from './settings.ts';
export { SimulatedDevice } from './simulated-device.ts';
export { SimulatedFleet, type SimulatedFleetOptions } from './simulated-fleet.ts';
export type { DeclaredSettings, RecordedSpeech, ValueModel } from './speech.ts';
