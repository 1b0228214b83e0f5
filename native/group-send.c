/*
 * Writes entries of a write board: the same bytes to many sockets in one call. The layout of the board is that of
 * `src/feed/writes/write-board.ts`, which also holds the same loop in TypeScript. Several threads may do this at once.
 */
#include <errno.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "node-api.h"

#ifndef MSG_NOSIGNAL
/* Node ignores SIGPIPE. */
#define MSG_NOSIGNAL 0
#endif

/* Words of the head. */
enum { PUBLISHED, TAKEN, DONE, SHORT };
/* Words of an entry, and what its state is before a count of bytes stands there. */
enum { DESCRIPTOR, OFFSET, LENGTH, STATE, ENTRY_WORDS };
enum { PENDING = -1, BUSY = -2, FAILED = -1000 };

/* Takes the next entries, `most` at most; returns how many, and the first of them in `first`. */
static uint32_t take(uint32_t *head, uint32_t most, uint32_t *first) {
  uint32_t taken = __atomic_load_n(&head[TAKEN], __ATOMIC_SEQ_CST);
  uint32_t count;
  do {
    uint32_t left = __atomic_load_n(&head[PUBLISHED], __ATOMIC_SEQ_CST) - taken;
    count = left < most ? left : most;
    if (count == 0) return 0;
  } while (!__atomic_compare_exchange_n(&head[TAKEN], &taken, taken + count, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  *first = taken;
  return count;
}

/* Bytes that the socket took, or `FAILED` less the number of the error: the system reports an error only once. */
static int32_t send_some(int descriptor, const uint8_t *bytes, size_t length) {
  ssize_t sent;
  do sent = send(descriptor, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  while (sent < 0 && errno == EINTR);
  if (sent >= 0) return (int32_t)sent;
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS ? 0 : FAILED - errno;
}

/* writeSome(head: Int32Array, entries: Int32Array, data: Uint8Array, most: number): number */
static napi_value write_some(napi_env env, napi_callback_info info) {
  napi_value argument[4];
  napi_value result;
  size_t count = 4;
  size_t words;
  void *head;
  void *entries;
  void *data;
  int32_t most;
  if (napi_get_cb_info(env, info, &count, argument, NULL, NULL) != 0 || count != 4 ||
      napi_get_typedarray_info(env, argument[0], NULL, NULL, &head, NULL, NULL) != 0 ||
      napi_get_typedarray_info(env, argument[1], NULL, &words, &entries, NULL, NULL) != 0 ||
      napi_get_typedarray_info(env, argument[2], NULL, NULL, &data, NULL, NULL) != 0 ||
      napi_get_value_int32(env, argument[3], &most) != 0) {
    napi_throw_error(env, "ERR_INVALID_ARG_TYPE", "writeSome takes the head, the entries, the data and a count");
    return NULL;
  }
  uint32_t *words_of_head = head;
  uint32_t mask = (uint32_t)(words / ENTRY_WORDS) - 1;
  uint32_t first = 0;
  uint32_t taken = take(words_of_head, (uint32_t)most, &first);
  uint32_t shorts = 0;
  for (uint32_t at = first; at != first + taken; at++) {
    int32_t *entry = (int32_t *)entries + (size_t)(at & mask) * ENTRY_WORDS;
    int32_t expected = PENDING;
    /* Its connection has written by itself meanwhile. */
    if (!__atomic_compare_exchange_n(&entry[STATE], &expected, BUSY, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST)) continue;
    int32_t sent = send_some(entry[DESCRIPTOR], (uint8_t *)data + entry[OFFSET], (size_t)entry[LENGTH]);
    if (sent < entry[LENGTH]) shorts++;
    __atomic_store_n(&entry[STATE], sent, __ATOMIC_SEQ_CST);
  }
  if (shorts > 0) __atomic_fetch_add(&words_of_head[SHORT], shorts, __ATOMIC_SEQ_CST);
  if (taken > 0) __atomic_fetch_add(&words_of_head[DONE], taken, __ATOMIC_SEQ_CST);
  napi_create_int32(env, (int32_t)taken, &result);
  return result;
}

__attribute__((visibility("default"))) napi_value napi_register_module_v1(napi_env env, napi_value exports) {
  napi_value function;
  if (napi_create_function(env, "writeSome", 9, write_some, NULL, &function) == 0)
    napi_set_named_property(env, exports, "writeSome", function);
  return exports;
}
