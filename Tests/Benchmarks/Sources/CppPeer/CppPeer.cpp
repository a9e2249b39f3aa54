#include "CppPeer.h"

#include <string>
#include <vector>

#include "bench.pb.h"

namespace {

usher::bench::Small small_measured() {
    usher::bench::Small small;
    small.set_id(8589934592);
    small.set_place(250000);
    small.set_time_ms(1795370000000);
    small.set_user("6f1f3a52-0c7e-4b0d-9d53-8e4f1c2ab907");
    small.set_state(usher::bench::STATE_WAITING);
    return small;
}

usher::bench::SeatMap seats_measured() {
    usher::bench::SeatMap map;
    for (int number = 1; number <= 50; number++) {
        auto *seat = map.add_seats();
        seat->set_number(number);
        seat->set_state(number % 3 + 1);
        seat->set_revision(101 + number);
    }
    return map;
}

template <class Message>
long encode(const Message &message, long repeats) {
    std::vector<uint8_t> output(message.ByteSizeLong());
    long sum = 0;
    for (long i = 0; i < repeats; i++) {
        size_t size = message.ByteSizeLong();
        if (size > output.size()) return -1;
        message.SerializeWithCachedSizesToArray(output.data());
        sum += size;
    }
    return sum;
}

long look(const usher::bench::Small &message) { return message.place() + message.user().size(); }
long look(const usher::bench::SeatMap &message) { return message.seats_size() + message.seats(49).revision(); }

template <class Message>
long decode(const Message &measured, long repeats) {
    std::string bytes = measured.SerializeAsString();
    long sum = 0;
    for (long i = 0; i < repeats; i++) {
        Message message;
        if (!message.ParseFromArray(bytes.data(), bytes.size())) return -1;
        sum += look(message);
    }
    return sum;
}

template <class Message>
long decode_reused(const Message &measured, long repeats) {
    std::string bytes = measured.SerializeAsString();
    long sum = 0;
    Message message;
    for (long i = 0; i < repeats; i++) {
        if (!message.ParseFromArray(bytes.data(), bytes.size())) return -1;
        sum += look(message);
    }
    return sum;
}

}  // namespace

long cpp_encode_small(long repeats) { return encode(small_measured(), repeats); }
long cpp_encode_seats(long repeats) { return encode(seats_measured(), repeats); }
long cpp_decode_small(long repeats) { return decode(small_measured(), repeats); }
long cpp_decode_seats(long repeats) { return decode(seats_measured(), repeats); }
long cpp_decode_small_reused(long repeats) { return decode_reused(small_measured(), repeats); }
long cpp_decode_seats_reused(long repeats) { return decode_reused(seats_measured(), repeats); }
