/* The floor: a stateless DHCPv4 responder. OFFER for DISCOVER, ACK for REQUEST, address from the client's hardware
 * address, nothing remembered, nothing checked. One thread, recvmmsg/sendmmsg. It says how fast a DHCP-shaped exchange
 * can be on a machine, and nothing about DHCP servers.
 *
 * Build: cc -O2 -o null_responder null_responder.c       Run: null_responder [ADDRESS [PORT]]
 * On port 67 it answers to giaddr:67 as relays expect, elsewhere to the source of the request. */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BATCH = 64, REQUEST_MAX = 1500, REPLY_SIZE = 300, HEADER = 240, REQUEST_MIN = 243 };
enum { DISCOVER = 1, OFFER = 2, REQUEST = 3, ACK = 5 };

static unsigned char requests[BATCH][REQUEST_MAX], replies[BATCH][REPLY_SIZE];
static struct sockaddr_in sources[BATCH];
static struct iovec in_vectors[BATCH], out_vectors[BATCH];
static struct mmsghdr in[BATCH], out[BATCH];

/* Writes the reply; 0 when the message needs none. The message type is looked for where all clients put it: first. */
static int answer(const unsigned char *request, unsigned length, unsigned char *reply, struct in_addr own) {
    if (length < REQUEST_MIN || request[0] != 1 || request[HEADER] != 53)
        return 0;
    unsigned char kind = request[HEADER + 2] == DISCOVER ? OFFER : request[HEADER + 2] == REQUEST ? ACK : 0;
    if (!kind)
        return 0;
    memcpy(reply, request, HEADER);
    reply[0] = 2;
    reply[16] = 10;
    memcpy(reply + 17, request + 31, 3);
    unsigned char options[] = {53, 1, kind, 54, 4, 0, 0, 0, 0, 51, 4, 0, 1, 0x51, 0x80, 1, 4, 255, 0, 0, 0, 255};
    memcpy(options + 5, &own, 4);
    memcpy(reply + HEADER, options, sizeof options);
    return 1;
}

int main(int argc, char **argv) {
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_port = htons(argc > 2 ? atoi(argv[2]) : 6767)};
    inet_pton(AF_INET, argc > 1 ? argv[1] : "127.0.0.1", &local.sin_addr);
    int to_giaddr = ntohs(local.sin_port) == 67;
    int fd = socket(AF_INET, SOCK_DGRAM, 0), buffer = 8 << 20;
    if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &buffer, sizeof buffer))
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &buffer, sizeof buffer);
    if (fd < 0 || bind(fd, (struct sockaddr *)&local, sizeof local)) {
        perror("null_responder");
        return 1;
    }
    for (int i = 0; i < BATCH; i++) {
        in_vectors[i] = (struct iovec){requests[i], REQUEST_MAX};
        out_vectors[i] = (struct iovec){replies[i], REPLY_SIZE};
        in[i].msg_hdr = (struct msghdr){.msg_name = &sources[i], .msg_iov = &in_vectors[i], .msg_iovlen = 1};
        out[i].msg_hdr = (struct msghdr){.msg_iov = &out_vectors[i], .msg_iovlen = 1};
    }
    for (;;) {
        for (int i = 0; i < BATCH; i++)
            in[i].msg_hdr.msg_namelen = sizeof sources[i];
        int got = recvmmsg(fd, in, BATCH, MSG_DONTWAIT, NULL), filled = 0;
        if (got < 0) {
            struct pollfd wait = {fd, POLLIN, 0};
            if (errno == EAGAIN)
                poll(&wait, 1, -1);
            continue;
        }
        for (int i = 0; i < got; i++) {
            if (!answer(requests[i], in[i].msg_len, replies[filled], local.sin_addr))
                continue;
            if (to_giaddr) {
                memcpy(&sources[i].sin_addr, requests[i] + 24, 4);
                sources[i].sin_port = htons(67);
            }
            out[filled].msg_hdr.msg_name = &sources[i];
            out[filled].msg_hdr.msg_namelen = sizeof sources[i];
            filled++;
        }
        for (int sent = 0; sent < filled;) {
            int n = sendmmsg(fd, out + sent, filled - sent, 0);
            sent += n > 0 ? n : 1; /* one that cannot be sent is passed over */
        }
    }
}
