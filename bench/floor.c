/* The floor under every reader of captures: read(2), a 5-tuple, a hash table with four counters, no protocols.
 *
 * usage: floor FILE.pcap     (microsecond or nanosecond pcap in this machine's byte order, Ethernet)
 * prints packets, flows and bytes. Built by bench/run with cc -O2.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BUFFER = 4 << 20, RECORD_HEADER = 16, FILE_HEADER = 24 };

struct key {
    uint8_t low[16], high[16];
    uint16_t low_port, high_port;
    uint32_t protocol;
};

struct flow {
    struct key key;
    uint64_t packets[2], bytes[2];
};

static struct flow *table;
static size_t slots = 1 << 16, flows;

static uint64_t hash(const struct key *key) {
    uint64_t words[5], mixed = 0x9e3779b97f4a7c15;
    memcpy(words, key, sizeof words);
    for (int i = 0; i < 5; i++) {
        mixed = (mixed ^ words[i]) * 0xff51afd7ed558ccd;
        mixed ^= mixed >> 32;
    }
    return mixed;
}

static struct flow *find(struct flow *in, size_t size, const struct key *key) {
    size_t at = hash(key) & (size - 1);
    while ((in[at].packets[0] | in[at].packets[1]) && memcmp(&in[at].key, key, sizeof *key)) at = (at + 1) & (size - 1);
    return &in[at];
}

static void grow(void) {
    struct flow *larger = calloc(slots * 2, sizeof *larger);
    if (!larger) exit(1);
    for (size_t i = 0; i < slots; i++)
        if (table[i].packets[0] | table[i].packets[1]) *find(larger, slots * 2, &table[i].key) = table[i];
    free(table);
    table = larger;
    slots *= 2;
}

static void count(const uint8_t *src, const uint8_t *dst, size_t size, uint16_t sport, uint16_t dport, uint8_t protocol,
                  uint32_t bytes) {
    struct key key = {.protocol = protocol};
    int order = memcmp(src, dst, size), turned = order ? order > 0 : sport > dport;
    memcpy(key.low, turned ? dst : src, size);
    memcpy(key.high, turned ? src : dst, size);
    key.low_port = turned ? dport : sport;
    key.high_port = turned ? sport : dport;
    struct flow *flow = find(table, slots, &key);
    if (!(flow->packets[0] | flow->packets[1])) {
        if (++flows * 2 > slots) {
            grow();
            flow = find(table, slots, &key);
        }
        flow->key = key;
    }
    flow->packets[turned]++;
    flow->bytes[turned] += bytes;
}

static uint16_t u16(const uint8_t *at) { return (uint16_t)(at[0] << 8 | at[1]); }

static void packet(const uint8_t *data, uint32_t length) {
    uint32_t at = 12;
    while (at + 6 <= length && (u16(data + at) == 0x8100 || u16(data + at) == 0x88a8)) at += 4;
    if (at + 2 + 20 > length) return;
    uint16_t type = u16(data + at), sport = 0, dport = 0;
    const uint8_t *ip = data + at + 2;
    length -= at + 2;
    int four = type == 0x0800;
    if (!four && (type != 0x86dd || length < 40)) return;
    uint32_t header = four ? (ip[0] & 15) * 4U : 40;
    uint8_t protocol = four ? ip[9] : ip[6];
    if ((protocol == 6 || protocol == 17) && header + 4 <= length && !(four && u16(ip + 6) & 0x1fff)) {
        sport = u16(ip + header);
        dport = u16(ip + header + 2);
    }
    if (four)
        count(ip + 12, ip + 16, 4, sport, dport, protocol, u16(ip + 2));
    else
        count(ip + 8, ip + 24, 16, sport, dport, protocol, u16(ip + 4) + 40U);
}

int main(int argc, char **argv) {
    int file = argc == 2 ? open(argv[1], O_RDONLY) : -1;
    uint8_t *buffer = malloc(BUFFER);
    table = calloc(slots, sizeof *table);
    if (file < 0 || !buffer || !table) return fprintf(stderr, "usage: floor FILE.pcap\n"), 2;
    size_t have = 0, at = FILE_HEADER;
    uint64_t packets = 0, bytes = 0;
    for (ssize_t got; (got = read(file, buffer + have, BUFFER - have)) > 0;) {
        have += (size_t)got;
        for (uint32_t record[4]; at + RECORD_HEADER <= have; at += RECORD_HEADER + record[2]) {
            memcpy(record, buffer + at, sizeof record);
            if (record[2] > BUFFER - RECORD_HEADER) return fprintf(stderr, "not a pcap of this byte order\n"), 1;
            if (at + RECORD_HEADER + record[2] > have) break;
            packet(buffer + at + RECORD_HEADER, record[2]);
            packets++;
            bytes += record[3];
        }
        if (at < have) memmove(buffer, buffer + at, have - at);
        have -= at < have ? at : have;
        at = 0;
    }
    printf("{\"packets\": %llu, \"flows\": %zu, \"bytes\": %llu}\n", (unsigned long long)packets, flows, (unsigned long long)bytes);
    return 0;
}
