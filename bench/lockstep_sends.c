/* What one block of a lock-step transfer costs at least: CPU of sending 1472 octets to each of 100 clients in turn, by
 * three ways in alternation. Receiving their ACKs, deciding and waiting come on top in a server.
 *
 *   cc -O2 -pthread -o lockstep_sends bench/lockstep_sends.c
 *   sudo unshare -n sh -c 'ip link set lo up && ip addr add 10.200.0.1/32 dev lo &&
 *       echo 1 >/proc/sys/net/ipv4/conf/lo/accept_local && ./lockstep_sends [rounds]'
 *
 * sendmmsg    one UDP socket, batches of 64 datagrams to 64 addresses
 * connected   a connected UDP socket per client, a send each: no look-up of the route
 * packet      frames of our own making through AF_PACKET, batches of 64: no UDP, no route, no packet filter
 *
 * An address other than 127.0.0.1 is used because the kernel takes no such address from a frame. The clients' sockets
 * are emptied by a thread of their own whose time is not counted; what the kernel does to deliver is in the sender's.
 * A round in which the clients did not get everything is reported as a failure. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/udp.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { CLIENTS = 100, LENGTH = 1472, BATCH = 64, BATCHES = 4000, OPEN = 2000, PORT = 16969 };
struct frame {
    struct ethhdr ethernet;
    struct iphdr ip;
    struct udphdr udp;
    char payload[LENGTH];
} __attribute__((packed));

static int clients[CLIENTS], connected[CLIENTS];
static struct sockaddr_in addresses[CLIENTS];
static atomic_long received;

static void die(const char *what) {
    perror(what);
    exit(1);
}

static void *drain(void *unused) {
    static char buffer[2048];
    struct epoll_event ready[CLIENTS];
    int poll = epoll_create1(0);
    (void)unused;
    for (int i = 0; i < CLIENTS; i++) {
        struct epoll_event event = {.events = EPOLLIN, .data.fd = clients[i]};
        epoll_ctl(poll, EPOLL_CTL_ADD, clients[i], &event);
    }
    for (;;) {
        int n = epoll_wait(poll, ready, CLIENTS, -1);
        for (int i = 0; i < n; i++)
            while (recv(ready[i].data.fd, buffer, sizeof buffer, MSG_DONTWAIT) > 0) received++;
    }
    return NULL;
}

static struct sockaddr_in address(int port) {
    struct sockaddr_in it = {.sin_family = AF_INET, .sin_port = htons(port)};
    it.sin_addr.s_addr = inet_addr("10.200.0.1");
    return it;
}

static int udp_at(struct sockaddr_in at) {
    int one = 1, fd = socket(AF_INET, SOCK_DGRAM, 0);
    setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof one);
    if (bind(fd, (struct sockaddr *)&at, sizeof at)) die("bind: is 10.200.0.1 on lo?");
    return fd;
}

static double cpu(void) {
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static uint16_t sum_of(const void *header) {
    const uint16_t *words = header;
    uint32_t sum = 0;
    for (int i = 0; i < 10; i++) sum += words[i];
    while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
    return ~sum;
}

static void fill(struct frame *frame, int client) {
    memset(frame, 0, offsetof(struct frame, payload));
    frame->ethernet.h_proto = htons(ETH_P_IP);
    frame->ip = (struct iphdr){.version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_UDP};
    frame->ip.tot_len = htons(sizeof *frame - sizeof frame->ethernet);
    frame->ip.saddr = frame->ip.daddr = addresses[client].sin_addr.s_addr;
    frame->ip.check = sum_of(&frame->ip);
    frame->udp.source = htons(PORT);
    frame->udp.dest = addresses[client].sin_port;
    frame->udp.len = htons(sizeof frame->udp + LENGTH);
}

/* Nanoseconds of the sender for each datagram. */
static double round_of(const char *way, int fd) {
    static struct frame frames[BATCH];
    static struct mmsghdr messages[BATCH];
    struct iovec pieces[BATCH];
    struct sockaddr_ll link = {.sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_IP), .sll_halen = ETH_ALEN};
    link.sll_ifindex = if_nametoindex("lo");
    int raw = !strcmp(way, "packet"), single = !strcmp(way, "connected");
    long before = received, sent = 0;
    double began = cpu(), spent;
    for (int batch = 0, client = 0; batch < BATCHES; batch++) {
        for (int i = 0; i < BATCH; i++, client = (client + 1) % CLIENTS) {
            struct msghdr *header = &messages[i].msg_hdr;
            if (single) {
                sent += send(connected[client], frames[i].payload, LENGTH, 0) == LENGTH;
                continue;
            }
            if (raw) fill(&frames[i], client);
            pieces[i] = raw ? (struct iovec){&frames[i], sizeof frames[i]} : (struct iovec){frames[i].payload, LENGTH};
            *header = (struct msghdr){.msg_iov = &pieces[i], .msg_iovlen = 1};
            header->msg_name = raw ? (void *)&link : (void *)&addresses[client];
            header->msg_namelen = raw ? sizeof link : sizeof addresses[client];
        }
        if (!single) {
            int n = sendmmsg(fd, messages, BATCH, 0);
            if (n < 0) die("sendmmsg");
            sent += n;
        }
        for (int i = 0; i < 1000 && before + sent - received > OPEN; i++) usleep(50);
    }
    spent = cpu() - began;
    for (int i = 0; i < 1000 && received - before < sent; i++) usleep(1000);
    if (received - before != sent) {
        fprintf(stderr, "%s: %ld of %ld arrived\n", way, received - before, sent);
        exit(1);
    }
    return spent / sent;
}

int main(int count, char **arguments) {
    int rounds = count > 1 ? atoi(arguments[1]) : 5, any = udp_at(address(PORT));
    int frames = socket(AF_PACKET, SOCK_RAW, 0);
    pthread_t thread;
    if (frames < 0) die("AF_PACKET");
    for (int i = 0; i < CLIENTS; i++) {
        socklen_t length = sizeof addresses[i];
        clients[i] = udp_at(address(0));
        getsockname(clients[i], (struct sockaddr *)&addresses[i], &length);
        connected[i] = udp_at(address(PORT + 1));
        if (connect(connected[i], (struct sockaddr *)&addresses[i], length)) die("connect");
    }
    pthread_create(&thread, NULL, drain, NULL);
    for (int round = 0; round < rounds; round++) {
        const char *ways[] = {"sendmmsg", "connected", "packet"};
        for (int way = 0; way < 3; way++) {
            double each = round_of(ways[way], way == 2 ? frames : any);
            printf("%-9s %5.0f ns a block, %.2f s/GB\n", ways[way], each, each / 1468);
        }
    }
    return 0;
}
