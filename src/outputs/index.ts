export { Outputs } from './outputs.ts';
