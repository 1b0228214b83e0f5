export { chunksOf } from './from-trace.ts';
export { type Guess, guess } from './guess.ts';
export { messagesText } from './messages-text.ts';
export { type Chunk, receive } from './received.ts';
