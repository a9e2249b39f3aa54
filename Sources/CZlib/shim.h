#pragma once
#include <zlib.h>

// deflateInit2 and inflateInit2 are macros, which Swift does not import. Both faces open a raw stream
// (negative window bits: no zlib header, no checksum), the only kind that RFC 7692 uses.

static inline int zlib_deflate_init_raw(z_streamp stream, int level, int window_bits, int memory_level) {
    return deflateInit2(stream, level, Z_DEFLATED, -window_bits, memory_level, Z_DEFAULT_STRATEGY);
}

static inline int zlib_inflate_init_raw(z_streamp stream, int window_bits) {
    return inflateInit2(stream, -window_bits);
}
