/* Do sends through io_uring cost less than sendmmsg? CPU nanoseconds per message, both ways, in alternation.
 *
 *   cc -O2 -o uring_sends bench/uring_sends.c -luring && ./uring_sends [rounds]
 *
 * Each batch is 64 messages: windows of 16 blocks of 1472 octets (UDP_SEGMENT), or ACK-sized datagrams, to a socket on
 * loopback that another thread empties. What the kernel does with a datagram is in both figures; the difference is the
 * way in. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <liburing.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

enum { BATCH = 64, BATCHES = 500 };
static int sink, out;
static struct sockaddr_in to;
static char payload[16 * 1472];

static void *drain(void *unused) {
    static char buffer[65536];
    (void)unused;
    for (;;) recv(sink, buffer, sizeof buffer, 0);
}

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static struct mmsghdr messages[BATCH];
static struct iovec vector;
static char control[BATCH][CMSG_SPACE(2)];

static void prepare(size_t length, int segment) {
    vector = (struct iovec){payload, length};
    for (int i = 0; i < BATCH; i++) {
        struct msghdr *m = &messages[i].msg_hdr;
        memset(m, 0, sizeof *m);
        m->msg_name = &to, m->msg_namelen = sizeof to, m->msg_iov = &vector, m->msg_iovlen = 1;
        if (!segment) continue;
        m->msg_control = control[i], m->msg_controllen = CMSG_SPACE(2);
        struct cmsghdr *c = CMSG_FIRSTHDR(m);
        c->cmsg_level = SOL_UDP, c->cmsg_type = UDP_SEGMENT, c->cmsg_len = CMSG_LEN(2);
        *(unsigned short *)CMSG_DATA(c) = segment;
    }
}

static double by_mmsg(void) {
    double start = cpu();
    for (int b = 0; b < BATCHES; b++)
        for (int done = 0; done < BATCH;) {
            int sent = sendmmsg(out, messages + done, BATCH - done, 0);
            done += sent > 0 ? sent : 1;
        }
    return (cpu() - start) / BATCHES / BATCH;
}

static double by_uring(void) {
    struct io_uring ring;
    int fault = io_uring_queue_init(2 * BATCH, &ring, IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN);
    if (fault) return printf("io_uring: %s\n", strerror(-fault)), -1;
    io_uring_register_files(&ring, &out, 1);
    double start = cpu();
    for (int b = 0; b < BATCHES; b++) {
        for (int i = 0; i < BATCH; i++) {
            struct io_uring_sqe *s = io_uring_get_sqe(&ring);
            io_uring_prep_sendmsg(s, 0, &messages[i].msg_hdr, 0);
            s->flags |= IOSQE_FIXED_FILE;
        }
        io_uring_submit_and_wait(&ring, BATCH);
        struct io_uring_cqe *c;
        unsigned head, seen = 0;
        io_uring_for_each_cqe(&ring, head, c) seen++;
        io_uring_cq_advance(&ring, seen);
    }
    double each = (cpu() - start) / BATCHES / BATCH;
    io_uring_queue_exit(&ring);
    return each;
}

int main(int argc, char **argv) {
    setvbuf(stdout, 0, _IOLBF, 0);
    int rounds = argc > 1 ? atoi(argv[1]) : 5;
    sink = socket(AF_INET, SOCK_DGRAM, 0), out = socket(AF_INET, SOCK_DGRAM, 0);
    to = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof to;
    bind(sink, (void *)&to, length), getsockname(sink, (void *)&to, &length);
    pthread_t thread;
    pthread_create(&thread, 0, drain, 0);
    for (int r = 0; r < rounds; r++) {
        prepare(sizeof payload, 1472);
        double wm = by_mmsg(), wu = by_uring();
        prepare(1472, 0);
        double sm = by_mmsg(), su = by_uring();
        printf("window of 16: sendmmsg %5.0f ns, io_uring %5.0f ns   one block: sendmmsg %5.0f ns, io_uring %5.0f ns\n", wm, wu, sm, su);
    }
    return 0;
}
