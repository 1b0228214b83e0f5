// A peer of bench/fan-out and bench/relay: the least that a server over WebSockets can be. One thread, epoll; what a turn
// brings from the device is framed into one buffer, and handed to the socket of each subscriber by one call.
//
//   peer-server FRAME_BYTES COUNTER_AT BEFORE AFTER
//       of each frame of the device the 32-bit number at COUNTER_AT goes between the texts BEFORE and AFTER
// It prints `DEVICE_PORT SUBSCRIBER_PORT`, and ends with its standard input.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define MOST_SUBSCRIBERS 65536
#define MOST_BYTES (1024 * 1024)

// The key that the subscribers of the benches send is always the same one.
static const char ACCEPTED[] =
    "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n";

enum kind { DEVICE_LISTENER, SUBSCRIBER_LISTENER, DEVICE, SUBSCRIBER, ORDERS };

struct peer {
  int fd;
  enum kind kind;
  int index;      // among the subscribers, once it has shaken hands
  int line_ends;  // of a handshake: how much of \r\n\r\n is there
  unsigned char *waiting;
  size_t waiting_length;
};

static int poll_fd, frame_bytes, counter_at;
static const char *before, *after;
static struct peer *subscribers[MOST_SUBSCRIBERS];
static int subscriber_count;
static unsigned char heap[64 * 1024], partial[4096], out[MOST_BYTES];
static size_t partial_length, out_length;

static void add(int fd, enum kind kind) {
  struct peer *peer = calloc(1, sizeof *peer);
  peer->fd = fd;
  peer->kind = kind;
  peer->index = -1;
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event);
}

static int listen_on(enum kind kind) {
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in address = {.sin_family = AF_INET};
  socklen_t length = sizeof address;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (bind(fd, (struct sockaddr *)&address, length) < 0 || listen(fd, 1024) < 0) exit(1);
  getsockname(fd, (struct sockaddr *)&address, &length);
  add(fd, kind);
  return ntohs(address.sin_port);
}

static void interest(struct peer *peer, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = peer};
  epoll_ctl(poll_fd, EPOLL_CTL_MOD, peer->fd, &event);
}

static void leave(struct peer *peer) {
  if (peer->index >= 0) {
    subscribers[peer->index] = subscribers[--subscriber_count];
    subscribers[peer->index]->index = peer->index;
  }
  close(peer->fd);
  free(peer->waiting);
  free(peer);
}

static void publish(const unsigned char *frame) {
  uint32_t n = 0;
  for (int i = 0; i < 4; i++) n = n << 8 | frame[counter_at + i];
  char text[4096];
  int length = snprintf(text, sizeof text, "%s%u%s", before, n, after);
  if (out_length + 4 + (size_t)length > sizeof out) return;
  out[out_length++] = 0x81;
  if (length < 126) out[out_length++] = (unsigned char)length;
  else {
    out[out_length++] = 126;
    out[out_length++] = (unsigned char)(length >> 8);
    out[out_length++] = (unsigned char)length;
  }
  memcpy(out + out_length, text, (size_t)length);
  out_length += (size_t)length;
}

static void hand_over(struct peer *peer, const unsigned char *bytes, size_t length) {
  ssize_t n = peer->waiting_length > 0 ? 0 : send(peer->fd, bytes, length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n < 0) n = 0;
  if ((size_t)n == length) return;
  size_t rest = length - (size_t)n;
  peer->waiting = realloc(peer->waiting, peer->waiting_length + rest);
  memcpy(peer->waiting + peer->waiting_length, bytes + n, rest);
  peer->waiting_length += rest;
  interest(peer, EPOLLIN | EPOLLOUT);
}

static void drain(struct peer *peer) {
  ssize_t n = send(peer->fd, peer->waiting, peer->waiting_length, MSG_DONTWAIT | MSG_NOSIGNAL);
  if (n <= 0) return;
  peer->waiting_length -= (size_t)n;
  memmove(peer->waiting, peer->waiting + n, peer->waiting_length);
  if (peer->waiting_length == 0) interest(peer, EPOLLIN);
}

static void from_device(const unsigned char *bytes, size_t length) {
  while (length > 0) {
    size_t n = (size_t)frame_bytes - partial_length;
    if (n > length) n = length;
    memcpy(partial + partial_length, bytes, n);
    partial_length += n;
    bytes += n;
    length -= n;
    if (partial_length < (size_t)frame_bytes) continue;
    publish(partial);
    partial_length = 0;
  }
}

static void from_subscriber(struct peer *peer, const unsigned char *bytes, size_t length) {
  if (peer->index >= 0) return;
  for (size_t i = 0; i < length && peer->line_ends < 4; i++)
    peer->line_ends = bytes[i] == "\r\n\r\n"[peer->line_ends] ? peer->line_ends + 1 : bytes[i] == '\r';
  if (peer->line_ends < 4 || subscriber_count == MOST_SUBSCRIBERS) return;
  peer->index = subscriber_count;
  subscribers[subscriber_count++] = peer;
  hand_over(peer, (const unsigned char *)ACCEPTED, sizeof ACCEPTED - 1);
}

static void accept_all(int fd, enum kind kind) {
  int one = 1;
  for (int peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK); peer >= 0; peer = accept4(fd, NULL, NULL, SOCK_NONBLOCK)) {
    setsockopt(peer, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    add(peer, kind);
  }
}

static void read_from(struct peer *peer) {
  ssize_t n = read(peer->fd, heap, sizeof heap);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (n <= 0) {
    if (peer->kind == ORDERS) exit(0);
    leave(peer);
  } else if (peer->kind == DEVICE) from_device(heap, (size_t)n);
  else if (peer->kind == SUBSCRIBER) from_subscriber(peer, heap, (size_t)n);
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  frame_bytes = atoi(arguments[1]);
  counter_at = atoi(arguments[2]);
  before = arguments[3];
  after = arguments[4];
  if (frame_bytes < counter_at + 4 || (size_t)frame_bytes > sizeof partial) return 2;
  poll_fd = epoll_create1(0);
  int devices = listen_on(DEVICE_LISTENER), feed = listen_on(SUBSCRIBER_LISTENER);
  printf("%d %d\n", devices, feed);
  fflush(stdout);
  add(0, ORDERS);
  for (;;) {
    struct epoll_event events[1024];
    int ready = epoll_wait(poll_fd, events, 1024, -1);
    for (int i = 0; i < ready; i++) {
      struct peer *peer = events[i].data.ptr;
      if (peer->kind == DEVICE_LISTENER) accept_all(peer->fd, DEVICE);
      else if (peer->kind == SUBSCRIBER_LISTENER) accept_all(peer->fd, SUBSCRIBER);
      else {
        if (events[i].events & EPOLLOUT) drain(peer);
        if (events[i].events & ~(uint32_t)EPOLLOUT) read_from(peer);
      }
    }
    if (out_length == 0) continue;
    for (int i = 0; i < subscriber_count; i++) hand_over(subscribers[i], out, out_length);
    out_length = 0;
  }
}
