// Subscribers of the benches, foreign to what is measured: one thread, epoll, one buffer. It opens connections, counts the
// messages that arrive, looks into the last one of each connection, and plays the device whose frames cause them, so that a
// delay is measured on one clock. Orders come as lines on standard input, each is answered by one line.
//
//   connect PORT COUNT FRAMING READY COUNTED HEAD GREETINGS   opens a group of connections   -> group G
//       FRAMING: frames (WebSocket), lines, or fixed:BYTES; READY and COUNTED: AT:BYTE in a payload, or -
//       HEAD: a request in hex, or -; GREETINGS: hex, + between writes, a comma between those that take turns, or -
//   device G PORT GREETING ANSWERED     connects the device of the group; ANSWERED 1: waits for a first byte -> done
//   frame G HEX COUNTER PREFIX          what the device says; COUNTER: be32:AT, dec:AT (ten places) or -;
//       PREFIX: text in hex that stands before the counter in the message, or - to leave the last one unchecked -> done
//   round TICKS PER_TICK PAUSE_US G...  the device of each group in turn writes PER_TICK frames at once, and the next follows
//       when all connections of the group have all messages -> round G P50_US P99_US MAX_US ...
//   await MESSAGES G                    messages that others cause -> done
//   close G                             -> done
// What is wrong is answered by `failed TEXT`.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define KEPT 1024
#define GROUPS 32
#define PATIENCE_NS 30000000000ULL

enum framing { FRAMES, LINES, FIXED };

struct mark {
  int at; // -1: any message
  int byte;
};

struct group;

struct connection {
  int fd;
  struct group *group;
  // Of the message that is being read: bytes of its head, bytes that are still to come, and its beginning.
  unsigned char head[14];
  int head_length;
  uint64_t rest;
  int reading;
  int opcode;
  unsigned char kept[KEPT];
  int kept_length;
  unsigned char last[KEPT];
  int last_length;
  uint64_t counted;
  int ready;
};

struct group {
  int used;
  enum framing framing;
  int fixed;
  struct mark ready, counted;
  struct connection *connections;
  int count;
  uint64_t messages;
  int device;
  unsigned char *frame;
  int frame_length;
  int counter_at; // -1: no counter
  int decimal;
  uint32_t counter;
  unsigned char prefix[128];
  int prefix_length;
  // Of the tick under way.
  uint64_t sent_at, wanted;
  int missing;
  uint32_t *delays;
  size_t delays_length, delays_room;
};

static struct group groups[GROUPS];
static int poll_fd;
static unsigned char heap[256 * 1024];
static char failure[256];

static uint64_t now_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000ULL + (uint64_t)t.tv_nsec;
}

static void fail(const char *format, ...) {
  if (failure[0] != 0) return;
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(failure, sizeof failure, format, arguments);
  va_end(arguments);
}

static int from_hex(const char *hex, unsigned char *to, int room) {
  int length = 0;
  for (; hex[0] != 0 && hex[1] != 0 && length < room; hex += 2) {
    unsigned value;
    if (sscanf(hex, "%2x", &value) != 1) break;
    to[length++] = (unsigned char)value;
  }
  return length;
}

static struct mark mark_of(const char *text) {
  struct mark mark = {-1, 0};
  if (text[0] != '-') sscanf(text, "%d:%d", &mark.at, &mark.byte);
  return mark;
}

static int matches(const struct mark *mark, const struct connection *c) {
  return mark->at < 0 || (mark->at < c->kept_length && c->kept[mark->at] == mark->byte);
}

static void write_all(int fd, const unsigned char *bytes, int length) {
  while (length > 0) {
    ssize_t n = send(fd, bytes, (size_t)length, MSG_NOSIGNAL);
    if (n < 0 && (errno == EAGAIN || errno == EINTR)) continue;
    if (n <= 0) {
      fail("write: %s", strerror(errno));
      return;
    }
    bytes += n;
    length -= (int)n;
  }
}

/** A whole message of this connection stands in `kept`. */
static void message(struct connection *c) {
  struct group *g = c->group;
  if (g->framing == FRAMES && c->opcode == 9) {
    unsigned char pong[6 + 125] = {0x8a, (unsigned char)(0x80 | c->kept_length), 0, 0, 0, 0};
    memcpy(pong + 6, c->kept, (size_t)c->kept_length);
    write_all(c->fd, pong, 6 + c->kept_length);
    return;
  }
  if (g->framing == FRAMES && c->opcode == 8) {
    fail("the server closed a connection: %.*s", c->kept_length > 2 ? c->kept_length - 2 : 0, c->kept + 2);
    return;
  }
  if (g->ready.at >= 0 && matches(&g->ready, c)) c->ready = 1;
  if (!matches(&g->counted, c)) return;
  memcpy(c->last, c->kept, (size_t)c->kept_length);
  c->last_length = c->kept_length;
  g->messages++;
  c->counted++;
  if (g->wanted == 0) return;
  if (c->counted == g->wanted) {
    g->missing--;
    if (g->delays_length == g->delays_room) {
      g->delays_room = g->delays_room == 0 ? 65536 : 2 * g->delays_room;
      g->delays = realloc(g->delays, g->delays_room * sizeof *g->delays);
    }
    g->delays[g->delays_length++] = (uint32_t)((now_ns() - g->sent_at) / 100);
  } else if (c->counted > g->wanted) fail("a message too many");
}

static void keep(struct connection *c, const unsigned char *bytes, uint64_t length) {
  uint64_t room = (uint64_t)(KEPT - c->kept_length);
  uint64_t n = length < room ? length : room;
  memcpy(c->kept + c->kept_length, bytes, n);
  c->kept_length += (int)n;
}

static void end_message(struct connection *c) {
  message(c);
  c->kept_length = 0;
  c->head_length = 0;
  c->reading = 0;
}

static void read_frames(struct connection *c, const unsigned char *bytes, size_t length) {
  for (size_t at = 0; at < length || (c->reading && c->rest == 0);) {
    if (c->reading) {
      uint64_t n = length - at < c->rest ? length - at : c->rest;
      keep(c, bytes + at, n);
      at += n;
      c->rest -= n;
      if (c->rest == 0) end_message(c);
      continue;
    }
    c->head[c->head_length++] = bytes[at++];
    if (c->head_length < 2) continue;
    int small = c->head[1] & 127;
    int needed = small < 126 ? 2 : small == 126 ? 4 : 10;
    if (c->head_length < needed) continue;
    c->opcode = c->head[0] & 15;
    c->rest = small < 126 ? (uint64_t)small : 0;
    for (int i = 2; i < needed; i++) c->rest = c->rest << 8 | c->head[i];
    c->reading = 1;
  }
}

static void read_lines(struct connection *c, const unsigned char *bytes, size_t length) {
  while (length > 0) {
    const unsigned char *end = memchr(bytes, '\n', length);
    size_t n = end == NULL ? length : (size_t)(end - bytes);
    keep(c, bytes, n);
    if (end == NULL) return;
    end_message(c);
    bytes = end + 1;
    length -= n + 1;
  }
}

static void read_fixed(struct connection *c, const unsigned char *bytes, size_t length) {
  uint64_t size = (uint64_t)c->group->fixed;
  while (length > 0) {
    if (c->rest == 0) c->rest = size;
    uint64_t n = length < c->rest ? length : c->rest;
    keep(c, bytes, n);
    bytes += n;
    length -= n;
    c->rest -= n;
    if (c->rest == 0) end_message(c);
  }
}

static void read_bytes(struct connection *c, const unsigned char *bytes, size_t length) {
  if (c->group->framing == FRAMES) read_frames(c, bytes, length);
  else if (c->group->framing == LINES) read_lines(c, bytes, length);
  else read_fixed(c, bytes, length);
}

static int receive(struct connection *c, int flags) {
  ssize_t n = recv(c->fd, heap, sizeof heap, flags);
  if (n > 0) {
    read_bytes(c, heap, (size_t)n);
    return 1;
  }
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  fail(n == 0 ? "the server ended a connection" : "read: %s", strerror(errno));
  epoll_ctl(poll_fd, EPOLL_CTL_DEL, c->fd, NULL);
  return 0;
}

/** Devices are in the poll without a connection: what answers them is only read away. */
static void poll_once(int timeout_ms) {
  struct epoll_event events[512];
  int n = epoll_wait(poll_fd, events, 512, timeout_ms);
  for (int i = 0; i < n; i++) {
    // Standard input, which is read between orders.
    if (events[i].data.u64 == 1) continue;
    if (events[i].data.u64 & 1) {
      int fd = (int)(events[i].data.u64 >> 1);
      if (recv(fd, heap, sizeof heap, MSG_DONTWAIT) == 0) {
        fail("the server ended the connection of a device");
        epoll_ctl(poll_fd, EPOLL_CTL_DEL, fd, NULL);
      }
    } else receive(events[i].data.ptr, MSG_DONTWAIT);
  }
}

static int dial(int port) {
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  struct timeval patience = {.tv_sec = 30};
  setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  if (fd < 0 || connect(fd, (struct sockaddr *)&to, sizeof to) < 0) fail("connect to port %d: %s", port, strerror(errno));
  int one = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
  return fd;
}

/** Reads the answer to a request, and hands over what came behind it. */
static void shake(struct connection *c) {
  static unsigned char answer[16 * 1024];
  size_t length = 0;
  for (;;) {
    ssize_t n = recv(c->fd, answer + length, sizeof answer - 1 - length, 0);
    if (n <= 0) {
      fail("no answer to the handshake");
      return;
    }
    length += (size_t)n;
    answer[length] = 0;
    char *end = strstr((char *)answer, "\r\n\r\n");
    if (end == NULL) continue;
    int status = 0;
    sscanf((char *)answer, "HTTP/1.1 %d", &status);
    if (status != 101 && status != 200) fail("the handshake was answered by %.60s", answer);
    size_t head = (size_t)(end + 4 - (char *)answer);
    if (length > head) read_bytes(c, answer + head, length - head);
    return;
  }
}

static void watch(struct connection *c) {
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = c};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, c->fd, &event);
}

static void open_one(struct connection *c, const char *head, const char *greetings, int index) {
  struct group *g = c->group;
  static unsigned char bytes[16 * 1024];
  c->fd = dial(g->device);
  if (failure[0] != 0) return;
  if (head[0] != '-') {
    write_all(c->fd, bytes, from_hex(head, bytes, sizeof bytes));
    shake(c);
  }
  if (greetings[0] != '-') {
    int turns = 1;
    for (const char *p = greetings; *p != 0; p++) turns += *p == ',';
    for (int skip = index % turns; skip > 0; greetings++) skip -= *greetings == ',';
    while (*greetings != 0 && *greetings != ',') {
      char one[4096];
      size_t n = strcspn(greetings, "+,");
      if (n >= sizeof one) n = sizeof one - 1;
      memcpy(one, greetings, n);
      one[n] = 0;
      write_all(c->fd, bytes, from_hex(one, bytes, sizeof bytes));
      greetings += n;
      if (*greetings == '+') greetings++;
    }
  }
  while (g->ready.at >= 0 && !c->ready && failure[0] == 0)
    if (receive(c, 0) == 0) fail("a connection did not become ready");
  watch(c);
}

static void close_group(struct group *g) {
  for (int i = 0; i < g->count; i++) close(g->connections[i].fd);
  if (g->device >= 0) close(g->device);
  free(g->connections);
  free(g->frame);
  free(g->delays);
  memset(g, 0, sizeof *g);
}

static int connect_group(char **words) {
  int index = 0;
  while (index < GROUPS && groups[index].used) index++;
  if (index == GROUPS) {
    fail("too many groups");
    return 0;
  }
  struct group *g = &groups[index];
  memset(g, 0, sizeof *g);
  g->used = 1;
  g->counter_at = -1;
  g->framing = words[3][1] == 'r' ? FRAMES : words[3][0] == 'l' ? LINES : FIXED;
  if (g->framing == FIXED) g->fixed = atoi(words[3] + strlen("fixed:"));
  g->ready = mark_of(words[4]);
  g->counted = mark_of(words[5]);
  g->count = atoi(words[2]);
  g->connections = calloc((size_t)g->count, sizeof *g->connections);
  // Until there is a device, its place holds the port.
  g->device = atoi(words[1]);
  for (int i = 0; i < g->count && failure[0] == 0; i++) {
    g->connections[i].group = g;
    open_one(&g->connections[i], words[6], words[7], i);
    // Those that are open already have their pings answered.
    poll_once(0);
  }
  g->device = -1;
  return index;
}

static void connect_device(struct group *g, int port, const char *greeting, int answered) {
  static unsigned char bytes[4096];
  g->device = dial(port);
  if (failure[0] != 0) return;
  if (greeting[0] != '-') write_all(g->device, bytes, from_hex(greeting, bytes, sizeof bytes));
  if (answered && recv(g->device, heap, sizeof heap, 0) <= 0) fail("the device had no answer");
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)g->device << 1 | 1};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, g->device, &event);
}

static void set_frame(struct group *g, char **words) {
  size_t room = strlen(words[2]) / 2;
  free(g->frame);
  g->frame = malloc(room + 1);
  g->frame_length = from_hex(words[2], g->frame, (int)room);
  g->decimal = words[3][0] == 'd';
  g->counter_at = words[3][0] == '-' ? -1 : atoi(strchr(words[3], ':') + 1);
  g->prefix_length = words[4][0] == '-' ? 0 : from_hex(words[4], g->prefix, sizeof g->prefix);
}

static void write_frames(struct group *g, int count) {
  unsigned char *bytes = malloc((size_t)(count * g->frame_length));
  for (int i = 0; i < count; i++) {
    unsigned char *frame = bytes + i * g->frame_length;
    memcpy(frame, g->frame, (size_t)g->frame_length);
    g->counter++;
    if (g->counter_at < 0) continue;
    if (g->decimal) {
      char digits[16];
      snprintf(digits, sizeof digits, "%10u", g->counter);
      memcpy(frame + g->counter_at, digits, 10);
    } else
      for (int k = 0; k < 4; k++) frame[g->counter_at + k] = (unsigned char)(g->counter >> (24 - 8 * k));
  }
  g->sent_at = now_ns();
  write_all(g->device, bytes, count * g->frame_length);
  free(bytes);
}

/** The last message of every connection carries the last number. */
static void check_last(struct group *g) {
  if (g->prefix_length == 0 || g->counter_at < 0) return;
  char wanted[160];
  int n = snprintf(wanted, sizeof wanted, g->decimal ? "%.*s%10u" : "%.*s%u", g->prefix_length, (char *)g->prefix, g->counter);
  for (int i = 0; i < g->count; i++) {
    struct connection *c = &g->connections[i];
    if (memmem(c->last, (size_t)c->last_length, wanted, (size_t)n) != NULL) continue;
    fail("the last message has no %s: %.*s", wanted, c->last_length < 160 ? c->last_length : 160, (char *)c->last);
    return;
  }
}

static void begin_count(struct group *g) {
  g->messages = 0;
  for (int i = 0; i < g->count; i++) g->connections[i].counted = 0;
}

static void tick(struct group *g, int per_tick) {
  uint64_t ends_at = now_ns() + PATIENCE_NS;
  begin_count(g);
  g->wanted = (uint64_t)per_tick;
  g->missing = g->count;
  write_frames(g, per_tick);
  while (g->missing > 0 && failure[0] == 0) {
    poll_once(100);
    if (now_ns() > ends_at) fail("%d of %d connections miss messages", g->missing, g->count);
  }
  g->wanted = 0;
}

static void pause_us(long us) {
  uint64_t ends_at = now_ns() + (uint64_t)us * 1000;
  poll_once(0);
  for (uint64_t now = now_ns(); now < ends_at; now = now_ns()) {
    struct timespec rest = {.tv_nsec = (long)(ends_at - now)};
    nanosleep(&rest, NULL);
  }
}

static int by_size(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return x < y ? -1 : x > y;
}

static void round_of(char **words) {
  int ticks = atoi(words[1]), per_tick = atoi(words[2]);
  long us = atol(words[3]);
  for (char **g = words + 4; *g != NULL; g++) groups[atoi(*g)].delays_length = 0;
  for (int n = 0; n < ticks && failure[0] == 0; n++)
    for (char **g = words + 4; *g != NULL && failure[0] == 0; g++) {
      tick(&groups[atoi(*g)], per_tick);
      pause_us(us);
    }
  // What is too many arrives meanwhile.
  poll_once(5);
  for (char **g = words + 4; *g != NULL && failure[0] == 0; g++) check_last(&groups[atoi(*g)]);
  if (failure[0] != 0) return;
  printf("round");
  for (char **word = words + 4; *word != NULL; word++) {
    struct group *g = &groups[atoi(*word)];
    size_t n = g->delays_length;
    qsort(g->delays, n, sizeof *g->delays, by_size);
    printf(" %s %.1f %.1f %.1f", *word, g->delays[n / 2] / 10.0, g->delays[n * 99 / 100] / 10.0, g->delays[n - 1] / 10.0);
  }
  printf("\n");
}

static void await_messages(struct group *g, uint64_t wanted) {
  uint64_t ends_at = now_ns() + PATIENCE_NS;
  while (g->messages < wanted && failure[0] == 0) {
    poll_once(100);
    if (now_ns() > ends_at) fail("%llu of %llu messages", (unsigned long long)g->messages, (unsigned long long)wanted);
  }
  if (g->messages > wanted) fail("%llu messages too many", (unsigned long long)(g->messages - wanted));
  g->messages = 0;
}

static void perform(char **words, int count) {
  const char *order = words[0];
  int known = count > 1 && strcmp(order, "connect") != 0 && strcmp(order, "round") != 0 ? atoi(words[strcmp(order, "await") == 0 ? 2 : 1]) : 0;
  struct group *g = &groups[known & (GROUPS - 1)];
  if (strcmp(order, "connect") == 0 && count == 8) {
    int index = connect_group(words);
    if (failure[0] == 0) printf("group %d\n", index);
    return;
  }
  if (strcmp(order, "round") == 0 && count > 4) {
    round_of(words);
    return;
  }
  if (strcmp(order, "device") == 0 && count == 5) connect_device(g, atoi(words[2]), words[3], atoi(words[4]));
  else if (strcmp(order, "frame") == 0 && count == 5) set_frame(g, words);
  else if (strcmp(order, "await") == 0 && count == 3) await_messages(g, strtoull(words[1], NULL, 10));
  else if (strcmp(order, "close") == 0 && count == 2) close_group(g);
  else fail("no such order: %s", order);
  if (failure[0] == 0) printf("done\n");
}

/** A line of standard input; connections are served until one comes. */
static int next_line(char *line, size_t room) {
  static char buffer[256 * 1024];
  static size_t length;
  for (;;) {
    char *end = memchr(buffer, '\n', length);
    if (end != NULL) {
      size_t n = (size_t)(end - buffer);
      if (n >= room) return 0;
      memcpy(line, buffer, n);
      line[n] = 0;
      length -= n + 1;
      memmove(buffer, end + 1, length);
      return 1;
    }
    poll_once(1000);
    ssize_t n = read(0, buffer + length, sizeof buffer - length);
    if (n == 0) return 0;
    if (n < 0 && errno != EAGAIN && errno != EINTR) return 0;
    if (n > 0) length += (size_t)n;
  }
}

int main(void) {
  static char line[256 * 1024];
  poll_fd = epoll_create1(0);
  fcntl(0, F_SETFL, fcntl(0, F_GETFL) | O_NONBLOCK);
  struct epoll_event orders = {.events = EPOLLIN, .data.u64 = 1};
  epoll_ctl(poll_fd, EPOLL_CTL_ADD, 0, &orders);
  setvbuf(stdout, NULL, _IOLBF, 0);
  while (next_line(line, sizeof line)) {
    char *words[64];
    int count = 0;
    for (char *word = strtok(line, " "); word != NULL && count < 63; word = strtok(NULL, " ")) words[count++] = word;
    words[count] = NULL;
    if (count > 0) perform(words, count);
    if (failure[0] != 0) printf("failed %s\n", failure);
    failure[0] = 0;
  }
  return 0;
}
