// Short-lived programs with a connection each, and somebody to talk to: for the benchmark of programs.
//   brief serve PORT                               answers nobody, but takes what comes, TCP and UDP, until killed
//   brief swarm COUNT AT_ONCE LIFE_US KIND PORT    COUNT times fork and exec of "one"; a line for each
//   brief one LIFE_US KIND PORT                    connects, says who it is, and lives that long since its start
// KIND is tcp4, tcp6, udp4 (sendto) or udp6 (connect and send). A line is: pid, name, port it spoke from.
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define NAMES 10 // links to this program, NAME0 to NAME9, lie beside it

static void fail(const char *what) {
    perror(what);
    exit(1);
}

static socklen_t place(struct sockaddr_storage *to, const char *kind, int port, int any) {
    memset(to, 0, sizeof *to);
    if (kind[3] == '6') {
        struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;
        six->sin6_family = AF_INET6;
        six->sin6_port = htons(port);
        six->sin6_addr = any ? in6addr_any : in6addr_loopback;
        return sizeof *six;
    }
    struct sockaddr_in *four = (struct sockaddr_in *)to;
    four->sin_family = AF_INET;
    four->sin_port = htons(port);
    four->sin_addr.s_addr = htonl(any ? INADDR_ANY : INADDR_LOOPBACK);
    return sizeof *four;
}

static int open_socket(const char *kind) {
    int fd = socket(kind[3] == '6' ? AF_INET6 : AF_INET, kind[0] == 't' ? SOCK_STREAM : SOCK_DGRAM, 0);
    if (fd < 0) fail("socket");
    return fd;
}

static int serve(int port) {
    const char *kinds[] = {"tcp4", "tcp6", "udp4", "udp6"};
    for (int i = 0; i < 4; i++) {
        int fd = open_socket(kinds[i]), on = 1;
        struct sockaddr_storage here;
        socklen_t size = place(&here, kinds[i], port, 1);
        setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
        if (kinds[i][3] == '6') setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
        if (bind(fd, (void *)&here, size)) fail("bind");
        if (kinds[i][0] == 't' && listen(fd, 4096)) fail("listen");
        if (kinds[i][0] == 't' && fork() == 0)
            for (;;) close(accept(fd, NULL, NULL));
    }
    puts("ready");
    fflush(stdout);
    for (;;) pause();
}

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e6 + t.tv_nsec / 1e3;
}

static int one(const char *name, double life, const char *kind, int port) {
    double start = now();
    struct sockaddr_storage there, here;
    socklen_t size = place(&there, kind, port, 0), length = sizeof here;
    int fd = open_socket(kind);
    if (!strcmp(kind, "udp4")) {
        if (sendto(fd, "x", 1, 0, (void *)&there, size) != 1) fail("sendto");
    } else if (connect(fd, (void *)&there, size) || send(fd, "x", 1, MSG_NOSIGNAL) != 1) {
        if (errno != EPIPE && errno != ECONNRESET) fail("connect");
    }
    getsockname(fd, (void *)&here, &length);
    char line[128];
    int used = snprintf(line, sizeof line, "%d %s %d\n", getpid(), strrchr(name, '/') + 1, ntohs(((struct sockaddr_in *)&here)->sin_port));
    if (write(1, line, used) != used) fail("write");
    while (now() - start < life) usleep(life > 1000 ? 200 : 20);
    _exit(0);
}

static int swarm(const char *self, char **args) {
    int count = atoi(args[0]), at_once = atoi(args[1]), running = 0;
    for (int i = 0; i < count; i++) {
        if (running == at_once && wait(NULL) > 0) running--;
        char path[512];
        snprintf(path, sizeof path, "%s%d", self, i % NAMES);
        if (vfork() == 0) {
            execl(path, path, "one", args[2], args[3], args[4], NULL);
            _exit(1);
        }
        running++;
    }
    while (wait(NULL) > 0) continue;
    return 0;
}

int main(int count, char **args) {
    if (count == 3 && !strcmp(args[1], "serve")) return serve(atoi(args[2]));
    if (count == 7 && !strcmp(args[1], "swarm")) return swarm(args[0], args + 2);
    if (count == 5 && !strcmp(args[1], "one")) return one(args[0], atof(args[2]), args[3], atoi(args[4]));
    fputs("brief serve PORT | swarm COUNT AT_ONCE LIFE_US KIND PORT | one LIFE_US KIND PORT\n", stderr);
    return 2;
}
