// A load generator for WebSocket servers over TLS, on loopback. One thread; commands on standard input, one JSON object a
// command on standard output. In C++ over epoll and OpenSSL, so that it shares no code with either of the servers.
//
//     loader PORT SERVER-PID
//
//     greet HEX OFFSET       connections opened from now on begin with this message, their number as four bytes at OFFSET
//     open COUNT PATH        opens connections, at most 64 under way at once; answers when all are open
//     echo DEPTH SIZE        from now on every connection has DEPTH messages of SIZE bytes under way
//     quiet                  … no longer; answers when all have come back
//     publish SIZE           the connection opened last sends one message; answers when each of the others has got one
//     expect COUNT           answers when COUNT messages have come since the last answer
//     settle MILLISECONDS    answers when no message has come for so long
//     mark                   answers with counts and clocks; figures are differences of two marks
//
// `mark` has the server's processor time from /proc/PID/task/*/schedstat (nanoseconds), this process's own, and that of all
// processors, which tells what others took.
#include <dirent.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include "Connection.h"

using namespace loader;

namespace {

[[noreturn]] void die(const std::string &why) {
    std::cerr << "loader: " << why << std::endl;
    _exit(1);
}

class Load : Listener {
public:
    Load(uint16_t port, std::string pid) : pid(std::move(pid)) {
        loop.prepare(port);
        listener = this;
    }

    void run() {
        epoll_event event{};
        event.events = EPOLLIN;
        epoll_ctl(loop.epoll, EPOLL_CTL_ADD, STDIN_FILENO, &event);
        std::vector<epoll_event> events(256);
        while (true) {
            int timeout = settleMilliseconds > 0 ? settleMilliseconds : -1;
            int count = epoll_wait(loop.epoll, events.data(), int(events.size()), timeout);
            if (count == 0) settled();
            for (int index = 0; index < count; index++) {
                if (auto *connection = static_cast<Connection *>(events[size_t(index)].data.ptr)) {
                    connection->handle(events[size_t(index)].events);
                } else {
                    readCommands();
                }
            }
        }
    }

private:
    const std::string pid;
    std::string typed;
    std::vector<std::unique_ptr<Connection>> connections;
    std::string path, greeting;
    size_t greetingOffset = 0;
    uint32_t wanted = 0, openCount = 0, underWay = 0;
    uint64_t openingSince = 0;

    std::string message, messages;
    uint32_t depth = 0;
    bool isQuieting = false;

    uint64_t messageCount = 0, messageBytes = 0, expected = 0, expectedSince = 0, publishedAt = 0;
    int settleMilliseconds = 0;
    std::vector<uint32_t> latencies;

    // MARK: Commands

    void readCommands() {
        char bytes[64 * 1024];
        ssize_t count = ::read(STDIN_FILENO, bytes, sizeof bytes);
        if (count <= 0) _exit(0);
        typed.append(bytes, size_t(count));
        for (size_t end; (end = typed.find('\n')) != typed.npos;) {
            std::istringstream line(typed.substr(0, end));
            typed.erase(0, end + 1);
            std::string command;
            line >> command;
            if (command == "open") {
                uint32_t count;
                line >> count >> path;
                wanted += count;
                openingSince = now();
                openMore();
            } else if (command == "greet") {
                readGreeting(line);
            } else if (command == "echo") {
                startEcho(line);
            } else if (command == "quiet") {
                isQuieting = true;
                answerIfQuiet();
            } else if (command == "publish") {
                size_t size;
                line >> size;
                expect(connections.size() - 1);
                publishedAt = now();
                connections.back()->send(frame(std::string(size, 'u')));
            } else if (command == "expect") {
                uint64_t count;
                line >> count;
                expect(count);
                publishedAt = now();
                answerIfArrived();
            } else if (command == "settle") {
                line >> settleMilliseconds;
            } else if (command == "mark") {
                mark();
            } else {
                die("no command: " + command);
            }
        }
    }

    void openMore() {
        while (underWay < 64 && connections.size() < wanted) {
            underWay++;
            connections.push_back(std::make_unique<Connection>(uint32_t(connections.size()), path));
        }
    }

    void opened(Connection &connection) override {
        underWay--;
        if (!greeting.empty()) {
            for (size_t place = 0; place < 4; place++) {
                greeting[greetingOffset + place] = char(connection.number >> (24 - 8 * place));
            }
            connection.send(frame(greeting));
        }
        if (++openCount == wanted) {
            std::cout << "{\"seconds\": " << double(now() - openingSince) / 1e9 << "}" << std::endl;
        } else {
            openMore();
        }
    }

    void failed(Connection &connection, const char *why) override {
        die("connection " + std::to_string(connection.number) + ": " + why);
    }

    void readGreeting(std::istringstream &line) {
        std::string hex;
        line >> hex >> greetingOffset;
        greeting.clear();
        for (size_t index = 0; index + 1 < hex.size(); index += 2) greeting += char(std::stoi(hex.substr(index, 2), nullptr, 16));
        if (greetingOffset + 4 > greeting.size()) die("no room for a number in the greeting");
    }

    void startEcho(std::istringstream &line) {
        size_t size;
        line >> depth >> size;
        message = std::string(size, 'u');
        messages.clear();
        for (uint32_t index = 0; index < depth; index++) messages += frame(message);
        isQuieting = false;
        size_t places = 1;
        while (places < depth) places *= 2;
        for (auto &connection : connections) {
            connection->sentAt.assign(places, 0);
            connection->sentFirst = connection->sentEnd = 0;
            sendMessages(*connection, depth);
        }
        std::cout << "{}" << std::endl;
    }

    void sendMessages(Connection &connection, uint32_t count) {
        uint64_t time = now();
        uint32_t mask = uint32_t(connection.sentAt.size()) - 1;
        for (uint32_t index = 0; index < count; index++) connection.sentAt[connection.sentEnd++ & mask] = time;
        connection.send(std::string_view(messages).substr(0, messages.size() / depth * count));
    }

    // MARK: Messages

    void received(Connection &connection, const std::vector<std::string_view> &payloads) override {
        messageCount += payloads.size();
        for (auto payload : payloads) messageBytes += payload.size();
        if (depth > 0) return echoed(connection, payloads);
        answerIfArrived();
    }

    void echoed(Connection &connection, const std::vector<std::string_view> &payloads) {
        uint64_t time = now();
        uint32_t mask = uint32_t(connection.sentAt.size()) - 1;
        for (auto payload : payloads) {
            if (payload != message) die("an echo is not what was sent");
            if (connection.sentFirst == connection.sentEnd) die("more echoes than messages");
            latencies.push_back(uint32_t(std::min<uint64_t>(time - connection.sentAt[connection.sentFirst++ & mask], UINT32_MAX)));
        }
        if (isQuieting) return answerIfQuiet();
        sendMessages(connection, uint32_t(payloads.size()));
    }

    void answerIfQuiet() {
        for (auto &connection : connections) {
            if (connection->sentFirst != connection->sentEnd) return;
        }
        depth = 0;
        std::cout << "{}" << std::endl;
    }

    void expect(uint64_t count) {
        expected = count;
        expectedSince = messageCount;
    }

    void answerIfArrived() {
        if (expected == 0 || messageCount - expectedSince < expected) return;
        expected = 0;
        std::cout << "{\"last_milliseconds\": " << double(now() - publishedAt) / 1e6 << "}" << std::endl;
    }

    void settled() {
        settleMilliseconds = 0;
        std::cout << "{}" << std::endl;
    }

    // MARK: Marks

    static uint64_t quantile(std::vector<uint32_t> &values, double share) {
        if (values.empty()) return 0;
        auto place = values.begin() + ptrdiff_t(share * double(values.size() - 1));
        std::nth_element(values.begin(), place, values.end());
        return *place;
    }

    void mark() {
        // The clocks first: what follows takes time.
        uint64_t time = now(), server = serverNanoseconds(), all = allNanoseconds();
        rusage usage;
        getrusage(RUSAGE_SELF, &usage);
        auto own = [](timeval part) { return uint64_t(part.tv_sec) * 1'000'000'000 + uint64_t(part.tv_usec) * 1000; };
        std::cout << "{\"time\": " << time << ", \"server\": " << server << ", \"all\": " << all
                  << ", \"loader\": " << own(usage.ru_utime) + own(usage.ru_stime) << ", \"messages\": " << messageCount
                  << ", \"bytes\": " << messageBytes << ", \"p50\": " << quantile(latencies, 0.5)
                  << ", \"p99\": " << quantile(latencies, 0.99) << "}" << std::endl;
        latencies.clear();
    }

    uint64_t serverNanoseconds() {
        uint64_t sum = 0;
        std::string folder = "/proc/" + pid + "/task";
        DIR *tasks = opendir(folder.c_str());
        if (tasks == nullptr) die("no process " + pid);
        while (dirent *task = readdir(tasks)) {
            uint64_t nanoseconds = 0;
            if (task->d_name[0] != '.' && std::ifstream(folder + "/" + task->d_name + "/schedstat") >> nanoseconds) sum += nanoseconds;
        }
        closedir(tasks);
        return sum;
    }

    /// Of all processors, without idling and waiting (proc(5), /proc/stat), in steps of 10 ms.
    static uint64_t allNanoseconds() {
        std::ifstream file("/proc/stat");
        std::string name;
        uint64_t user, nice, system, idle, wait, hardInterrupts, softInterrupts;
        file >> name >> user >> nice >> system >> idle >> wait >> hardInterrupts >> softInterrupts;
        return (user + nice + system + hardInterrupts + softInterrupts) * (1'000'000'000 / uint64_t(sysconf(_SC_CLK_TCK)));
    }
};

}  // namespace

int main(int count, char **arguments) {
    if (count != 3) die("loader PORT SERVER-PID");
    rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);
    Load load(uint16_t(std::atoi(arguments[1])), arguments[2]);
    load.run();
}
