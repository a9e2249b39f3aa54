// One client connection: TCP, TLS 1.3, WebSocket (RFC 6455), on one epoll loop.
//
//     connecting ─▶ handshaking ─▶ upgrading ─▶ open
//          └──────────────┴─────────────┴─────────┴─▶ failed
//
// All TLS sessions share one pair of buffers, so that the loader costs less than the servers it loads: whoever waits for the
// loader finds fewer events in each turn of its own loop, and would be charged for that.
#pragma once
#include <openssl/ssl.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace loader {

/// Nanoseconds of a monotonic clock.
uint64_t now();

/// A masked data frame (RFC 6455 section 5.2), final and unfragmented, as clients send it.
std::string frame(std::string_view payload);

class Connection;

/// What the connections of this process share, and whom they tell.
struct Loop {
    int epoll = -1;
    uint16_t port = 0;
    SSL_CTX *context = nullptr;
    BIO *bio = nullptr;

    /// What was received and is being decrypted; what was encrypted and is to be sent.
    std::string_view incoming;
    std::string outgoing;

    void prepare(uint16_t port);
};
extern Loop loop;

/// Told of everything that happens. One for the process.
struct Listener {
    virtual void opened(Connection &) = 0;
    virtual void failed(Connection &, const char *why) = 0;
    /// One read's worth of data frames, at least one.
    virtual void received(Connection &, const std::vector<std::string_view> &payloads) = 0;
};
extern Listener *listener;

class Connection {
public:
    enum State { connecting, handshaking, upgrading, open, failed };

    const uint32_t number;
    State state = connecting;
    /// When the messages under way were sent, oldest first from `sentFirst` on; a power of two of places.
    std::vector<uint64_t> sentAt;
    uint32_t sentFirst = 0, sentEnd = 0;

    Connection(uint32_t number, const std::string &path);
    ~Connection();
    Connection(const Connection &) = delete;

    /// Sends plaintext: frames.
    void send(std::string_view bytes);
    /// What epoll has to tell.
    void handle(uint32_t events);

private:
    int socket = -1;
    SSL *ssl = nullptr;
    std::string upgrade;
    /// A response head or frame whose rest has not come.
    std::string partial;
    /// Records that the kernel has not taken.
    std::string unsent;

    void connected();
    void shakeHands();
    void read();
    void take(std::string_view bytes);
    void flush();
    void watch(bool alsoWritable);
    void fail(const char *why);
};

}  // namespace loader
