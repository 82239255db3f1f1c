#define _GNU_SOURCE
// A wire between network interfaces on which every frame takes a fixed time and some are lost, for
// kernels without tc netem. Frames go to the port where their receiver was last seen, else to all.
//
//   delay-line MILLISECONDS PERCENT PORT PORT...
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { maximumPorts = 16, frameBytes = 9216, slots = 1 << 14, stations = 64 };

// The delay is one for all, so frames leave in the order in which they came: a ring is enough.
struct frame {
  int64_t due;
  int from, bytes;
  unsigned char data[frameBytes];
};
static struct frame *ring;
static uint64_t head, tail;

static struct {
  unsigned char address[ETH_ALEN];
  int port;
} seen[stations];
static int seenCount;

static int64_t now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static int port_of(const unsigned char *address) {
  for (int i = 0; i < seenCount; i++)
    if (memcmp(seen[i].address, address, ETH_ALEN) == 0) return seen[i].port;
  return -1;
}

static void learn(const unsigned char *address, int port) {
  if (port_of(address) >= 0 || seenCount == stations) return;
  memcpy(seen[seenCount].address, address, ETH_ALEN);
  seen[seenCount++].port = port;
}

static int open_port(const char *name) {
  int s = socket(AF_PACKET, SOCK_RAW, htons(ETH_P_ALL));
  struct sockaddr_ll place = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL)};
  place.sll_ifindex = (int)if_nametoindex(name);
  int buffer = 1 << 26;
  if (s < 0 || !place.sll_ifindex || bind(s, (void *)&place, sizeof place) < 0) {
    perror(name);
    exit(69);
  }
  setsockopt(s, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer);
  setsockopt(s, SOL_SOCKET, SO_SNDBUFFORCE, &buffer, sizeof buffer);
  return s;
}

static void receive(int socket, int port, int64_t delay, double loss) {
  while (head - tail < slots) {
    struct frame *f = &ring[head % slots];
    struct sockaddr_ll from;
    socklen_t length = sizeof from;
    ssize_t bytes =
        recvfrom(socket, f->data, frameBytes, MSG_DONTWAIT, (struct sockaddr *)&from, &length);
    if (bytes < 0) return;
    if (from.sll_pkttype == PACKET_OUTGOING || bytes < ETH_HLEN) continue;
    learn(f->data + ETH_ALEN, port);
    if (drand48() < loss) continue;
    f->due = now() + delay;
    f->from = port;
    f->bytes = (int)bytes;
    head++;
  }
}

static void deliver(const int *sockets, int ports) {
  for (; tail < head && ring[tail % slots].due <= now(); tail++) {
    struct frame *f = &ring[tail % slots];
    int to = port_of(f->data);
    for (int p = 0; p < ports; p++)
      // A frame that a port refuses, since it is down, is lost as on a wire.
      if (p != f->from && (to < 0 || to == p)) (void)!send(sockets[p], f->data, f->bytes, 0);
  }
}

int main(int count, char **arguments) {
  int ports = count - 3, sockets[maximumPorts];
  if (ports < 2 || ports > maximumPorts) return 64;
  int64_t delay = (int64_t)(atof(arguments[1]) * 1e6);
  double loss = atof(arguments[2]) / 100;
  ring = calloc(slots, sizeof *ring);
  if (!ring) return 71;
  struct pollfd waiting[maximumPorts];
  for (int p = 0; p < ports; p++) {
    sockets[p] = open_port(arguments[3 + p]);
    waiting[p] = (struct pollfd){.fd = sockets[p], .events = POLLIN};
  }
  for (;;) {
    int64_t wait = tail < head ? ring[tail % slots].due - now() : 1000000000;
    struct timespec limit = {.tv_nsec = wait < 0 ? 0 : wait % 1000000000};
    if (wait >= 1000000000) limit = (struct timespec){.tv_sec = 1};
    if (ppoll(waiting, ports, &limit, NULL) < 0 && errno != EINTR) return 74;
    for (int p = 0; p < ports; p++) receive(sockets[p], p, delay, loss);
    deliver(sockets, ports);
  }
}
