// C++ libprotobuf on the messages of bench.proto. Each function does its work so many times and returns what it came
// to, as the bodies in Swift do.

#pragma once

#ifdef __cplusplus
extern "C" {
#endif

/// Into a buffer that is kept; the sum of the bytes written.
long cpp_encode_small(long repeats);
long cpp_encode_seats(long repeats);
/// Into a new message each time; the sum over what was read.
long cpp_decode_small(long repeats);
long cpp_decode_seats(long repeats);
/// Into one message that is used again, which libprotobuf's classes can do.
long cpp_decode_small_reused(long repeats);
long cpp_decode_seats_reused(long repeats);

#ifdef __cplusplus
}
#endif
