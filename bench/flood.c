// Floods an interface with UDP frames by sendmmsg, for measuring captures in own namespaces.
//
// flood INTERFACE COUNT BYTES SECONDS [RATE [FLOWS]]: sends at most COUNT frames of BYTES, for at most
// SECONDS, at most RATE of them per second, and prints how many the kernel took and in how many seconds. The destination port
// and the IP identification count up, so that every frame is another one; with FLOWS the ports go round among so many.
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

enum { BATCH = 64, LARGEST = 1514, SMALLEST = 60, IP = 14, UDP = 34 };

static void put16(uint8_t *at, unsigned value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void build(uint8_t *frame, unsigned bytes) {
    static const uint8_t head[] = {
        0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2, 0, 0, 0, 0, 1, 8, 0,
        0x45, 0, 0, 0, 0, 0, 0, 0, 64, 17, 0, 0, 10, 9, 0, 1, 10, 9, 0, 2,
    };
    memset(frame, 0, LARGEST);
    memcpy(frame, head, sizeof head);
    put16(frame + IP + 2, bytes - IP);
    put16(frame + UDP, 4000);
    put16(frame + UDP + 4, bytes - UDP);
}

// Makes frame number `n` differ from the others.
static void number(uint8_t *frame, unsigned long n, unsigned long flows) {
    put16(frame + IP + 4, n & 0xffff);
    put16(frame + UDP + 2, 1024 + (unsigned)(flows ? n % flows : n >> 16 & 0xff));
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

int main(int argc, char **argv) {
    static uint8_t frames[BATCH][LARGEST];
    struct iovec parts[BATCH];
    struct mmsghdr messages[BATCH] = {0};
    if (argc < 5 || argc > 7) {
        fprintf(stderr, "usage: flood INTERFACE COUNT BYTES SECONDS [RATE [FLOWS]]\n");
        return 2;
    }
    unsigned long count = strtoul(argv[2], NULL, 10), sent = 0;
    unsigned bytes = (unsigned)atoi(argv[3]);
    double seconds = atof(argv[4]), rate = argc > 5 ? atof(argv[5]) : 0, start = now();
    unsigned long flows = argc > 6 ? strtoul(argv[6], NULL, 10) : 0;
    if (bytes < SMALLEST || bytes > LARGEST) {
        fprintf(stderr, "flood: BYTES is %d to %d\n", SMALLEST, LARGEST);
        return 2;
    }
    int fd = open_socket(argv[1]);
    for (int i = 0; i < BATCH; i++) {
        build(frames[i], bytes);
        parts[i] = (struct iovec){.iov_base = frames[i], .iov_len = bytes};
        messages[i].msg_hdr.msg_iov = &parts[i];
        messages[i].msg_hdr.msg_iovlen = 1;
    }
    while (sent < count && now() - start < seconds) {
        double early = rate > 0 ? start + (double)sent / rate - now() : 0;
        if (early > 0) nanosleep(&(struct timespec){.tv_nsec = (long)(early * 1e9) % 1000000000}, NULL);
        unsigned n = count - sent < BATCH ? (unsigned)(count - sent) : BATCH;
        for (unsigned i = 0; i < n; i++) number(frames[i], sent + i, flows);
        int taken = sendmmsg(fd, messages, n, 0);
        if (taken < 0 && errno != ENOBUFS && errno != EAGAIN) {
            perror("sendmmsg");
            return 1;
        }
        if (taken > 0) sent += (unsigned long)taken;
    }
    printf("%lu %.3f\n", sent, now() - start);
    return 0;
}
