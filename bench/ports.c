/* A trivial server and its clients, for new connections a second: `ports serve FD`, `ports connect IP FIRST LAST COUNT`. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 64 };

/* Accepts and closes until it is killed. */
static int serve(int listener) {
    for (;;) {
        int one = accept(listener, NULL, NULL);
        if (one >= 0)
            close(one);
    }
}

static int dial(const char *ip, int port) {
    int one = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    /* Closed by a reset, so that no port waits for the last packets of its connection. */
    struct linger at_once = {1, 0};
    /* From another address, or a socket that is given the port it asks for would connect to itself. */
    struct sockaddr_in from = {.sin_family = AF_INET};
    int late = 1;
    inet_pton(AF_INET, "127.0.0.9", &from.sin_addr);
    setsockopt(one, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &late, sizeof late);
    inet_pton(AF_INET, ip, &to.sin_addr);
    setsockopt(one, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    if (one < 0 || bind(one, (struct sockaddr *)&from, sizeof from) != 0 ||
        connect(one, (struct sockaddr *)&to, sizeof to) != 0) {
        perror("connect");
        exit(1);
    }
    return one;
}

int main(int count, char **words) {
    struct timespec begin, end;
    if (count == 3)
        return serve(atoi(words[2]));
    if (count != 6)
        return 2;
    int first = atoi(words[3]), width = atoi(words[4]) - first + 1, many = atoi(words[5]), open[BATCH];
    char byte;
    clock_gettime(CLOCK_MONOTONIC, &begin);
    for (int done = 0; done < many; done += BATCH) {
        for (int n = 0; n < BATCH; n++)
            open[n] = dial(words[2], first + (int)((done + n) * 7919L % width));
        for (int n = 0; n < BATCH; n++) {
            if (read(open[n], &byte, 1) != 0)
                return 1;
            close(open[n]);
        }
    }
    clock_gettime(CLOCK_MONOTONIC, &end);
    printf("%f\n", (double)(end.tv_sec - begin.tv_sec) + (double)(end.tv_nsec - begin.tv_nsec) / 1e9);
    return 0;
}
