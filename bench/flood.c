// Floods an interface with UDP frames by sendmmsg, for measuring captures in own namespaces.
//
// flood INTERFACE RATE SECONDS: sends RATE frames a second (0: all it can) for SECONDS, at most
// a minute and 100 million frames, and prints how many the kernel took as {"sent": …}. Ports
// and the IP identification count up, so that every frame is another one.
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, BYTES = 128, IP = 14, UDP = 34, MOST_SECONDS = 60, MOST = 100000000 };

static void put16(uint8_t *at, unsigned value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void build(uint8_t *frame) {
    static const uint8_t head[] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 0,
        0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 9, 0, 1, 10, 9, 0, 2,
    };
    memset(frame, 0, BYTES);
    memcpy(frame, head, sizeof head);
    put16(frame + IP + 2, BYTES - IP);
    put16(frame + UDP, 4000);
    put16(frame + UDP + 4, BYTES - UDP);
}

// Makes frame number `n` differ from the others.
static void number(uint8_t *frame, unsigned long n) {
    put16(frame + IP + 4, n & 0xffff);
    put16(frame + UDP + 2, 1024 + (n >> 16 & 0xff));
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int open_socket(const char *name) {
    struct sockaddr_ll address = {.sll_family = AF_PACKET};
    int fd = socket(AF_PACKET, SOCK_RAW, 0), on = 1;
    address.sll_ifindex = (int)if_nametoindex(name);
    if (fd < 0 || address.sll_ifindex == 0 ||
        bind(fd, (struct sockaddr *)&address, sizeof address) != 0) {
        perror(name);
        exit(1);
    }
    setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &on, sizeof on);
    return fd;
}

static void prepare(uint8_t frames[BATCH][BYTES], struct iovec *parts, struct mmsghdr *messages) {
    for (int i = 0; i < BATCH; i++) {
        build(frames[i]);
        parts[i] = (struct iovec){.iov_base = frames[i], .iov_len = BYTES};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
}

// Waits, without sleeping too long, until frame number `n` is due.
static void pace(double start, unsigned long n, double rate) {
    double early = rate > 0 ? start + (double)n / rate - now() : 0;
    if (early > 0) {
        struct timespec t = {.tv_sec = (time_t)early, .tv_nsec = (long)(early * 1e9) % 1000000000};
        nanosleep(&t, NULL);
    }
}

int main(int argc, char **argv) {
    static uint8_t frames[BATCH][BYTES];
    static struct iovec parts[BATCH];
    static struct mmsghdr messages[BATCH];
    if (argc != 4) {
        fprintf(stderr, "usage: flood INTERFACE RATE SECONDS\n");
        return 2;
    }
    double rate = atof(argv[2]), seconds = atof(argv[3]), start = now();
    unsigned long sent = 0;
    int fd = open_socket(argv[1]);
    if (seconds > MOST_SECONDS) seconds = MOST_SECONDS;
    prepare(frames, parts, messages);
    while (sent < MOST && now() - start < seconds) {
        for (unsigned i = 0; i < BATCH; i++) number(frames[i], sent + i);
        int taken = sendmmsg(fd, messages, BATCH, 0);
        if (taken < 0 && errno != ENOBUFS && errno != EAGAIN) {
            perror("sendmmsg");
            return 1;
        }
        if (taken > 0) sent += (unsigned long)taken;
        pace(start, sent, rate);
    }
    printf("{\"sent\": %lu}\n", sent);
    return 0;
}
