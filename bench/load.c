// Load for relays, and the server behind them: bulk streams, short connections, requests on kept ones, idle ones.
//
//   load serve PORT                      b: bytes without end; c: 1 KB and close; k: 1 KB for each byte asked
//   load bulk PORT STREAMS SECONDS       bytes a second that arrive
//   load short PORT PARALLEL SECONDS     connections a second: connect, ask, read to the end
//   load kept PORT SECONDS               microseconds of a request: median, 99th percentile
//   load idle PORT CONNECTIONS           opens them, says how many, waits for the end of its input

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
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define BIG (256 << 10)
#define REPLY 1024
#define MOST 20000

static char buffer[BIG];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void die(const char *what) {
    perror(what);
    exit(1);
}

static struct sockaddr_in local(const char *port) {
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port))};
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return at;
}

static int dial(const struct sockaddr_in *at, int flags) {
    int fd = socket(AF_INET, SOCK_STREAM | flags, 0), one = 1;
    if (fd < 0) die("socket");
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, (const struct sockaddr *)at, sizeof *at) && errno != EINPROGRESS) die("connect");
    return fd;
}

static void watch(int poll, int fd, uint32_t events, int change) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    epoll_ctl(poll, change, fd, &event);
}

// What a connection asked for: 0 nothing yet.
static char wanted[1 << 16];

static void answer(int poll, int fd, uint32_t events) {
    if (events & EPOLLIN && wanted[fd] != 'b') {
        ssize_t got = recv(fd, buffer, BIG, 0);
        if (got <= 0) {
            if (got == 0 || errno != EAGAIN) close(fd);
            return;
        }
        wanted[fd] = buffer[0];
        if (wanted[fd] == 'b')
            watch(poll, fd, EPOLLIN | EPOLLOUT, EPOLL_CTL_MOD);
        else
            send(fd, buffer, REPLY, MSG_NOSIGNAL);
        if (wanted[fd] == 'c') close(fd);
    } else if (events & EPOLLOUT) {
        if (send(fd, buffer, BIG, MSG_NOSIGNAL) < 0 && errno != EAGAIN) close(fd);
    } else if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) {
        close(fd);
    }
}

static void serve(const char *port) {
    struct sockaddr_in at = local(port);
    int one = 1, listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), poll = epoll_create1(0);
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    setsockopt(listener, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (bind(listener, (struct sockaddr *)&at, sizeof at) || listen(listener, 4096)) die("listen");
    watch(poll, listener, EPOLLIN, EPOLL_CTL_ADD);
    for (;;) {
        struct epoll_event events[256];
        int count = epoll_wait(poll, events, 256, -1);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (fd != listener) {
                answer(poll, fd, events[i].events);
                continue;
            }
            while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
                wanted[fd] = 0;
                watch(poll, fd, EPOLLIN, EPOLL_CTL_ADD);
            }
        }
    }
}

static void bulk(const char *port, int streams, double seconds) {
    struct sockaddr_in at = local(port);
    int poll = epoll_create1(0);
    for (int i = 0; i < streams; i++) {
        int fd = dial(&at, 0);
        send(fd, "b", 1, MSG_NOSIGNAL);
        fcntl(fd, F_SETFL, O_NONBLOCK);
        watch(poll, fd, EPOLLIN, EPOLL_CTL_ADD);
    }
    double begin = 0, warm = now() + 0.3, end = warm + seconds, bytes = 0;
    while (now() < end) {
        struct epoll_event events[64];
        int count = epoll_wait(poll, events, 64, 100);
        for (int i = 0; i < count; i++) {
            ssize_t got = recv(events[i].data.fd, buffer, BIG, 0);
            if (got == 0) die("ended early");
            if (got > 0 && begin > 0) bytes += (double)got;
        }
        if (begin == 0 && now() > warm) begin = now();
    }
    printf("%.0f\n", bytes / (now() - begin));
}

static void brief(const char *port, int parallel, double seconds) {
    struct sockaddr_in at = local(port);
    int poll = epoll_create1(0);
    double begin = now(), end = begin + seconds;
    long done = 0;
    for (int i = 0; i < parallel; i++) watch(poll, dial(&at, SOCK_NONBLOCK), EPOLLOUT, EPOLL_CTL_ADD);
    while (now() < end) {
        struct epoll_event events[256];
        int count = epoll_wait(poll, events, 256, 100);
        for (int i = 0; i < count; i++) {
            int fd = events[i].data.fd;
            if (events[i].events & EPOLLOUT) {
                send(fd, "c", 1, MSG_NOSIGNAL);
                watch(poll, fd, EPOLLIN, EPOLL_CTL_MOD);
                continue;
            }
            ssize_t got = recv(fd, buffer, BIG, 0);
            if (got > 0) continue;
            if (got < 0) die("recv");
            close(fd);
            done++;
            watch(poll, dial(&at, SOCK_NONBLOCK), EPOLLOUT, EPOLL_CTL_ADD);
        }
    }
    printf("%.0f\n", (double)done / (now() - begin));
}

static int larger(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void kept(const char *port, double seconds) {
    static double took[4 << 20];
    struct sockaddr_in at = local(port);
    int fd = dial(&at, 0);
    double end = now() + seconds;
    size_t count = 0;
    while (now() < end && count < 4 << 20) {
        double begin = now();
        send(fd, "k", 1, MSG_NOSIGNAL);
        for (size_t got = 0; got < REPLY;) {
            ssize_t some = recv(fd, buffer, BIG, 0);
            if (some <= 0) die("recv");
            got += (size_t)some;
        }
        took[count++] = now() - begin;
    }
    qsort(took, count, sizeof *took, larger);
    printf("%.1f %.1f\n", took[count / 2] * 1e6, took[count * 99 / 100] * 1e6);
}

static void idle(const char *port, int wish) {
    struct sockaddr_in at = local(port);
    int count = 0;
    for (; count < wish && count < MOST; count++) {
        int fd = dial(&at, 0);
        send(fd, "k", 1, MSG_NOSIGNAL);
        for (size_t got = 0; got < REPLY;) {
            ssize_t some = recv(fd, buffer, BIG, 0);
            if (some <= 0) die("recv");
            got += (size_t)some;
        }
    }
    printf("%d\n", count);
    fflush(stdout);
    while (read(0, buffer, BIG) > 0) {
    }
}

int main(int count, char **words) {
    struct rlimit files;
    getrlimit(RLIMIT_NOFILE, &files);
    files.rlim_cur = files.rlim_max;
    setrlimit(RLIMIT_NOFILE, &files);
    // Letters, as most of what passes is: control characters would only try how logs escape them.
    for (int i = 0; i < BIG; i++) buffer[i] = (char)('a' + i % 26);
    const char *what = count > 2 ? words[1] : "";
    if (!strcmp(what, "serve"))
        serve(words[2]);
    else if (!strcmp(what, "bulk") && count == 5)
        bulk(words[2], atoi(words[3]), atof(words[4]));
    else if (!strcmp(what, "short") && count == 5)
        brief(words[2], atoi(words[3]), atof(words[4]));
    else if (!strcmp(what, "kept") && count == 4)
        kept(words[2], atof(words[3]));
    else if (!strcmp(what, "idle") && count == 4)
        idle(words[2], atoi(words[3]));
    else
        return fprintf(stderr, "usage: see the first lines of load.c\n"), 2;
    return 0;
}
