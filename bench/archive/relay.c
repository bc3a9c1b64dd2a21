/* The machine's limit: bytes from a media host to a bucket, TLS on both sides, and nothing else. No checksum, no retry,
 * no check but of the status. Each line of the plan is a range and the signed URL's path it is put to; each connection
 * takes the next line until there is none.
 *
 *     relay CONNECTIONS CA_FILE MEDIA_PORT MEDIA_PATH BUCKET_PORT < plan        plan: "first last path\n"
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { RECORD = 16384, HEAD = 8192, PATH_BYTES = 4096 };

static SSL_CTX *context;
static const char *media_path;
static int media_port, bucket_port;
static pthread_mutex_t plan = PTHREAD_MUTEX_INITIALIZER;

static void fail(const char *why) {
    fprintf(stderr, "relay: %s\n", why);
    ERR_print_errors_fp(stderr);
    exit(1);
}

static SSL *connected(int port) {
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int at_once = 1, descriptor = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(descriptor, (struct sockaddr *)&to, sizeof to)) fail("cannot connect");
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &at_once, sizeof at_once);
    SSL *tls = SSL_new(context);
    X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(tls), "127.0.0.1");
    SSL_set_fd(tls, descriptor);
    if (SSL_connect(tls) != 1) fail("TLS failed");
    return tls;
}

static void send_all(SSL *tls, const char *bytes, size_t count) {
    size_t sent;
    if (count && SSL_write_ex(tls, bytes, count, &sent) != 1) fail("cannot send");
}

/* Reads a head into `buffer` (HEAD + RECORD bytes); returns how many bytes of the body came with it, at `*body`. */
static size_t read_head(SSL *tls, char *buffer, char **body, int wanted) {
    size_t filled = 0, read;
    char *end;
    do {
        if (filled >= HEAD || SSL_read_ex(tls, buffer + filled, RECORD, &read) != 1) fail("no head");
        filled += read;
        buffer[filled] = 0;
    } while (!(end = strstr(buffer, "\r\n\r\n")));
    if (atoi(buffer + strlen("HTTP/1.1 ")) != wanted) fail(buffer);
    *body = end + 4;
    return filled - (*body - buffer);
}

static void *relay(void *unused) {
    char head[HEAD], path[PATH_BYTES], *buffer = malloc(HEAD + RECORD + 1), *body;
    long long first, last;
    SSL *media = connected(media_port), *bucket = connected(bucket_port);
    for (;;) {
        pthread_mutex_lock(&plan);
        int read = scanf("%lld %lld %4095s", &first, &last, path);
        pthread_mutex_unlock(&plan);
        if (read != 3) return unused;
        int length = snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nRange: bytes=%lld-%lld\r\n\r\n",
                              media_path, media_port, first, last);
        send_all(media, head, length);
        length = snprintf(head, sizeof head, "PUT %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nContent-Length: %lld\r\n\r\n", path,
                          bucket_port, last - first + 1);
        send_all(bucket, head, length);
        size_t count = read_head(media, buffer, &body, 206);
        for (long long left = last - first + 1;;) {
            send_all(bucket, body, count);
            left -= count;
            if (left <= 0) break;
            body = buffer;
            if (SSL_read_ex(media, buffer, RECORD, &count) != 1) fail("cut short");
        }
        read_head(bucket, buffer, &body, 200);
    }
}

int main(int count, char **arguments) {
    if (count != 6) fail("usage: relay CONNECTIONS CA_FILE MEDIA_PORT MEDIA_PATH BUCKET_PORT < plan");
    int connections = atoi(arguments[1]);
    media_port = atoi(arguments[3]), media_path = arguments[4], bucket_port = atoi(arguments[5]);
    context = SSL_CTX_new(TLS_client_method());
    if (SSL_CTX_load_verify_locations(context, arguments[2], NULL) != 1) fail("no authority to trust");
    SSL_CTX_set_verify(context, SSL_VERIFY_PEER, NULL);
    pthread_t threads[connections];
    for (int i = 0; i < connections; i++) pthread_create(&threads[i], NULL, relay, NULL);
    for (int i = 0; i < connections; i++) pthread_join(threads[i], NULL);
}
