/* Writes a capture in which many TCP connections are open at once and stay open.
 *
 * usage: flows CONNECTIONS ROUNDS FILE.pcap
 * Rounds 0 to 2 are the handshake, each later one is one data segment of 10 bytes, ends taking turns; within a round
 * the connections come in a scattered order. A round lasts one second of the capture's time. Addresses 10.0.0.0/8.
 */
#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { START = 1700000000, DATA = 10, STRIDE = 7919 * 13, SYN = 2, ACK = 16, PSH = 8 };

struct __attribute__((packed)) frame {
    uint32_t seconds, fraction, captured, wire;
    uint8_t ethernet[14];
    uint8_t version, tos;
    uint16_t length, id, fragment;
    uint8_t ttl, protocol;
    uint16_t ip_sum;
    uint32_t src, dst;
    uint16_t sport, dport;
    uint32_t seq, ack;
    uint8_t offset, flags;
    uint16_t window, tcp_sum, urgent;
    uint8_t data[DATA];
};

static uint32_t gcd(uint32_t a, uint32_t b) { return b ? gcd(b, a % b) : a; }

static void fill(struct frame *f, uint32_t number, uint32_t round, uint32_t micros) {
    uint32_t said = round > 2 ? (round - 3) / 2 * DATA : 0, odd = round > 2 && (round & 1) == 0 ? DATA : 0;
    int down = round == 1 || (round > 2 && (round & 1) == 0), data = round > 2 ? DATA : 0;
    uint32_t client = htonl(0x0a000000 | number >> 4), server = htonl(0x0ac80000 | number % 251);
    uint16_t port = htons((uint16_t)(20000 + number % 16 * 1000)), service = htons(443);
    uint32_t mine = 1000 + (round > 0) + said, yours = 5000 + (round > 1) + said;
    f->seconds = START + round;
    f->fraction = micros;
    f->captured = f->wire = (uint32_t)(sizeof *f - 16 - DATA + (uint32_t)data);
    memcpy(f->ethernet, "\x02\0\0\0\0\2\x02\0\0\0\0\1\x08\0", 14);
    f->version = 0x45;
    f->length = htons((uint16_t)(40 + data));
    f->ttl = 64;
    f->protocol = 6;
    f->src = down ? server : client;
    f->dst = down ? client : server;
    f->sport = down ? service : port;
    f->dport = down ? port : service;
    f->seq = htonl(down ? yours : mine);
    f->ack = round ? htonl(down ? mine + odd : yours) : 0;
    f->offset = 0x50;
    f->flags = round == 0 ? SYN : round == 1 ? SYN | ACK : data ? PSH | ACK : ACK;
    f->window = htons(65000);
}

int main(int argc, char **argv) {
    uint32_t count = argc == 4 ? (uint32_t)atol(argv[1]) : 0, rounds = argc == 4 ? (uint32_t)atol(argv[2]) : 0;
    FILE *out = count && rounds ? fopen(argv[3], "wb") : NULL;
    const uint32_t head[6] = {0xa1b2c3d4, 4 << 16 | 2, 0, 0, 262144, 1};
    if (!out || gcd(STRIDE, count) != 1) return fprintf(stderr, "usage: flows CONNECTIONS ROUNDS FILE.pcap\n"), 2;
    fwrite(head, sizeof head, 1, out);
    for (uint32_t round = 0; round < rounds; round++)
        for (uint32_t i = 0; i < count; i++) {
            struct frame frame = {0};
            fill(&frame, (uint32_t)((uint64_t)i * STRIDE % count), round, (uint32_t)((uint64_t)i * 1000000 / count));
            fwrite(&frame, 16 + frame.captured, 1, out);
        }
    return fclose(out) ? 1 : 0;
}
