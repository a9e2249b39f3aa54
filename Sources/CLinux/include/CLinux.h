#pragma once
// What Glibc's module map for Swift lacks: headers it does not list, and functions that need _GNU_SOURCE.
#include <pthread.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>

/// accept4(2) with SOCK_NONBLOCK | SOCK_CLOEXEC; the peer's address is not asked for.
int linux_accept_nonblocking(int listener);

/// socket(2), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC over TCP.
int linux_stream_socket(int family);

/// Names the calling thread (at most 15 bytes count).
void linux_name_this_thread(const char *name);
