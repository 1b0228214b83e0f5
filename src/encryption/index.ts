export { Encryption } from './encryption.ts';
