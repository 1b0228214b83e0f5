export {
  AdmissionControl,
  type AdmissionLimits,
  admissionLimits,
  ConnectionLimiter,
  DEFAULT_ADMISSION_LIMITS,
  DEFAULT_REQUEST_LIMITS,
  type RequestLimits,
  requestLimits,
} from './admission-control.ts';
export { Authenticator, followAccess, requireClosed, type Verdict } from './authenticator.ts';
export { type Caller, callerOf } from './caller.ts';
export { bearerToken, chosenProtocol, hashToken, makeToken, protocolToken } from './credentials.ts';
export {
  type AccessRefusal,
  ANYBODY,
  type Grant,
  isExpired,
  mayHear,
  ownerOf,
  refusedMessage,
  refusedTopics,
} from './grant.ts';
export { type Admission, originConfigured, refusedByName } from './host-and-origin.ts';
export {
  type Answer,
  answerClientError,
  JSON_TYPE,
  jsonAnswer,
  refusal,
  SECURITY_HEADERS,
  writeAnswer,
} from './http-answer.ts';
export { isFeedPath, pathOf, SCRIPT_PATHS, STREAM_PATH } from './paths.ts';
export { forbidden, RequestAccess, refusedToken } from './request-access.ts';
