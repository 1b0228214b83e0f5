export { Outputs } from './outputs.ts';
export { type TryResult, tryOutput } from './try-output.ts';
