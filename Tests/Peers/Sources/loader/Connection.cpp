#include "Connection.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>

namespace loader {

Loop loop;
Listener *listener = nullptr;

uint64_t now() {
    timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return uint64_t(time.tv_sec) * 1'000'000'000 + uint64_t(time.tv_nsec);
}

std::string frame(std::string_view payload) {
    const unsigned char mask[4] = {0x9d, 0x24, 0x61, 0xb7};
    std::string bytes = "\x82";
    if (payload.size() < 126) {
        bytes += char(0x80 | payload.size());
    } else {
        bytes += char(0x80 | 126);
        bytes += char(payload.size() >> 8);
        bytes += char(payload.size());
    }
    bytes.append(reinterpret_cast<const char *>(mask), 4);
    for (size_t index = 0; index < payload.size(); index++) bytes += char(payload[index] ^ mask[index % 4]);
    return bytes;
}

// MARK: The buffers that TLS reads from and writes to

static int readIncoming(BIO *bio, char *target, int room) {
    BIO_clear_retry_flags(bio);
    if (loop.incoming.empty()) {
        BIO_set_retry_read(bio);
        return -1;
    }
    size_t count = std::min(size_t(room), loop.incoming.size());
    memcpy(target, loop.incoming.data(), count);
    loop.incoming.remove_prefix(count);
    return int(count);
}

static int writeOutgoing(BIO *bio, const char *bytes, int count) {
    BIO_clear_retry_flags(bio);
    loop.outgoing.append(bytes, size_t(count));
    return count;
}

void Loop::prepare(uint16_t portNumber) {
    port = portNumber;
    epoll = epoll_create1(EPOLL_CLOEXEC);
    context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_min_proto_version(context, TLS1_3_VERSION);
    SSL_CTX_set_ciphersuites(context, "TLS_AES_128_GCM_SHA256");
    SSL_CTX_set1_groups_list(context, "X25519");
    SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_read_ahead(context, 1);
    // The certificate is the server's own, made for the run: nothing to verify. Every handshake is a full one.
    SSL_CTX_set_verify(context, SSL_VERIFY_NONE, nullptr);
    SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
    BIO_METHOD *method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "loader");
    BIO_meth_set_read(method, readIncoming);
    BIO_meth_set_write(method, writeOutgoing);
    BIO_meth_set_ctrl(method, [](BIO *, int command, long, void *) { return long(command == BIO_CTRL_FLUSH); });
    BIO_meth_set_create(method, [](BIO *made) {
        BIO_set_init(made, 1);
        return 1;
    });
    bio = BIO_new(method);
}

// MARK: Connecting

static const char webSocketKey[] = "dGhlIHNhbXBsZSBub25jZQ==";
static const char webSocketAccept[] = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";  // RFC 6455 section 1.3

Connection::Connection(uint32_t number, const std::string &path) : number(number) {
    upgrade = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
              + "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: " + webSocketKey + "\r\n"
              + (path == "/v1" ? "Sec-WebSocket-Protocol: usher.v1\r\n" : "") + "\r\n";
    socket = ::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) {
        fail("socket");
        return;
    }
    int yes = 1;
    setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
    setsockopt(socket, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &yes, sizeof yes);
    // A reset when closed, and several source addresses: else one run's ports were missing in the next.
    linger hard{1, 0};
    setsockopt(socket, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    sockaddr_in own{}, peer{};
    own.sin_family = peer.sin_family = AF_INET;
    own.sin_addr.s_addr = htonl(0x7f000002 + number % 4);
    peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    peer.sin_port = htons(loop.port);
    if (bind(socket, reinterpret_cast<sockaddr *>(&own), sizeof own) != 0
        || (::connect(socket, reinterpret_cast<sockaddr *>(&peer), sizeof peer) != 0 && errno != EINPROGRESS)) {
        fail(strerror(errno));
        return;
    }
    epoll_event event{};
    event.events = EPOLLOUT;
    event.data.ptr = this;
    epoll_ctl(loop.epoll, EPOLL_CTL_ADD, socket, &event);
}

Connection::~Connection() {
    SSL_free(ssl);
    if (socket >= 0) close(socket);
}

void Connection::fail(const char *why) {
    if (state == failed) return;
    state = failed;
    if (socket >= 0) close(socket);
    socket = -1;
    listener->failed(*this, why);
}

void Connection::connected() {
    int error = 0;
    socklen_t size = sizeof error;
    getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &size);
    if (error != 0) return fail(strerror(error));
    watch(false);
    ssl = SSL_new(loop.context);
    BIO_up_ref(loop.bio);
    BIO_up_ref(loop.bio);
    SSL_set0_rbio(ssl, loop.bio);
    SSL_set0_wbio(ssl, loop.bio);
    SSL_set_connect_state(ssl);
    SSL_set_tlsext_host_name(ssl, "localhost");
    state = handshaking;
    shakeHands();
}

void Connection::shakeHands() {
    ERR_clear_error();
    int result = SSL_do_handshake(ssl);
    if (result != 1) {
        bool waits = SSL_get_error(ssl, result) == SSL_ERROR_WANT_READ;
        flush();
        if (!waits) fail("TLS handshake");
        return;
    }
    state = upgrading;
    send(upgrade);
    upgrade = {};
}

// MARK: Bytes

void Connection::watch(bool alsoWritable) {
    epoll_event event{};
    event.events = EPOLLIN | (alsoWritable ? EPOLLOUT : 0u);
    event.data.ptr = this;
    epoll_ctl(loop.epoll, EPOLL_CTL_MOD, socket, &event);
}

void Connection::send(std::string_view bytes) {
    if (state == failed) return;
    ERR_clear_error();
    if (SSL_write(ssl, bytes.data(), int(bytes.size())) <= 0) return fail("TLS write");
    flush();
}

void Connection::flush() {
    std::string_view bytes = loop.outgoing;
    if (!unsent.empty()) {
        unsent += bytes;
    } else if (!bytes.empty()) {
        ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent < 0 && errno != EAGAIN) {
            loop.outgoing.clear();
            return fail(strerror(errno));
        }
        unsent = bytes.substr(size_t(std::max<ssize_t>(sent, 0)));
        if (!unsent.empty()) watch(true);
    }
    loop.outgoing.clear();
}

void Connection::handle(uint32_t events) {
    if (state == failed) return;
    if (state == connecting) return connected();
    if (events & EPOLLOUT) {
        ssize_t sent = ::send(socket, unsent.data(), unsent.size(), MSG_NOSIGNAL);
        if (sent > 0) unsent.erase(0, size_t(sent));
        if (unsent.empty()) watch(false);
    }
    if (events & (EPOLLIN | EPOLLERR | EPOLLHUP)) read();
}

void Connection::read() {
    static char received[256 * 1024];
    static char plain[64 * 1024];
    ssize_t count = recv(socket, received, sizeof received, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return fail("the server closed the connection");
    loop.incoming = {received, size_t(count)};
    if (state == handshaking) shakeHands();
    ERR_clear_error();
    while (state != failed && state != handshaking && (!loop.incoming.empty() || SSL_has_pending(ssl))) {
        int result = SSL_read(ssl, plain, sizeof plain);
        if (result <= 0) {
            if (SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) return fail("TLS read");
            break;
        }
        take({plain, size_t(result)});
    }
    loop.incoming = {};
}

/// Takes the response to the upgrade, then whole data frames; what is incomplete is kept.
void Connection::take(std::string_view bytes) {
    std::string joined;
    if (!partial.empty()) {
        joined.swap(partial);
        joined += bytes;
        bytes = joined;
    }
    if (state == upgrading) {
        size_t end = bytes.find("\r\n\r\n");
        if (end == bytes.npos) {
            partial = bytes;
            return;
        }
        std::string_view head = bytes.substr(0, end);
        if (head.substr(0, 12) != "HTTP/1.1 101" || head.find(webSocketAccept) == head.npos) return fail("the upgrade was refused");
        bytes.remove_prefix(end + 4);
        state = open;
        listener->opened(*this);
    }
    static std::vector<std::string_view> payloads;
    payloads.clear();
    while (bytes.size() >= 2) {
        const auto *byte = reinterpret_cast<const unsigned char *>(bytes.data());
        size_t length = byte[1], header = 2;
        if (length == 126) {
            if (bytes.size() < 4) break;
            length = size_t(byte[2]) << 8 | byte[3];
            header = 4;
        } else if (length > 126) {
            return fail("a masked frame, or one longer than is ever asked for");
        }
        if (bytes.size() < header + length) break;
        if (byte[0] == 0x81 || byte[0] == 0x82) payloads.push_back(bytes.substr(header, length));
        if ((byte[0] & 0x0f) == 8) return fail("the server closed the WebSocket");
        bytes.remove_prefix(header + length);
    }
    // Copied before the listener may send, which does not touch what was received.
    partial = bytes;
    if (!payloads.empty()) listener->received(*this, payloads);
}

}  // namespace loader
