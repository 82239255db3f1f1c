// What Swift's vectors cannot say of pixels of three bytes, and sums of products of bytes. Everything is
// inlined in Swift, for the processor that Swift is compiled for.
#pragma once

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

#define CPIXELS_INLINE static inline __attribute__((always_inline))

typedef float cpixels_float16 __attribute__((ext_vector_type(16)));
typedef int cpixels_int16 __attribute__((ext_vector_type(16)));
typedef unsigned char cpixels_uchar64 __attribute__((ext_vector_type(64)));
typedef unsigned char cpixels_uchar16 __attribute__((ext_vector_type(16)));

/// Red (0), green (1) or blue (2) of sixteen pixels; 64 bytes are read.
CPIXELS_INLINE cpixels_float16 cpixels_channel(const void *_Nonnull from, int channel) {
  cpixels_uchar64 all;
  __builtin_memcpy(&all, from, sizeof all);
  cpixels_uchar16 red = __builtin_shufflevector(
      all, all, 0, 3, 6, 9, 12, 15, 18, 21, 24, 27, 30, 33, 36, 39, 42, 45);
  cpixels_uchar16 green = __builtin_shufflevector(
      all, all, 1, 4, 7, 10, 13, 16, 19, 22, 25, 28, 31, 34, 37, 40, 43, 46);
  cpixels_uchar16 blue = __builtin_shufflevector(
      all, all, 2, 5, 8, 11, 14, 17, 20, 23, 26, 29, 32, 35, 38, 41, 44, 47);
  return __builtin_convertvector(
      channel == 0 ? red : channel == 1 ? green : blue, cpixels_float16);
}

typedef unsigned char cpixels_uchar4 __attribute__((ext_vector_type(4)));
typedef int cpixels_int4 __attribute__((ext_vector_type(4)));
typedef double cpixels_double4 __attribute__((ext_vector_type(4)));

/// Four bytes as numbers.
CPIXELS_INLINE cpixels_double4 cpixels_numbers(const void *_Nonnull from) {
  cpixels_uchar4 bytes;
  __builtin_memcpy(&bytes, from, sizeof bytes);
  return __builtin_convertvector(__builtin_convertvector(bytes, cpixels_int4), cpixels_double4);
}

/// Numbers as bytes, clamped to 0 ... 255, their fractions cut off.
CPIXELS_INLINE cpixels_uchar4 cpixels_cut(cpixels_double4 x) {
  x = __builtin_elementwise_min(__builtin_elementwise_max(x, (cpixels_double4)0.0), (cpixels_double4)255.0);
  return __builtin_convertvector(__builtin_convertvector(x, cpixels_int4), cpixels_uchar4);
}

typedef unsigned char cpixels_uchar8 __attribute__((ext_vector_type(8)));
typedef int cpixels_int8 __attribute__((ext_vector_type(8)));
typedef double cpixels_double8 __attribute__((ext_vector_type(8)));

/// Pixel 0, 1, 2 or 3 of those in a row from `a`, beside that of those from `b`: (red, green, blue, -, red,
/// green, blue, -). Sixteen bytes of each are read.
CPIXELS_INLINE cpixels_double8 cpixels_two_numbers(const void *_Nonnull a, const void *_Nonnull b, int pixel) {
  cpixels_uchar16 p, q;
  __builtin_memcpy(&p, a, sizeof p);
  __builtin_memcpy(&q, b, sizeof q);
  cpixels_uchar8 first = __builtin_shufflevector(p, q, 0, 1, 2, 3, 16, 17, 18, 19);
  cpixels_uchar8 second = __builtin_shufflevector(p, q, 3, 4, 5, 6, 19, 20, 21, 22);
  cpixels_uchar8 third = __builtin_shufflevector(p, q, 6, 7, 8, 9, 22, 23, 24, 25);
  cpixels_uchar8 fourth = __builtin_shufflevector(p, q, 9, 10, 11, 12, 25, 26, 27, 28);
  cpixels_uchar8 bytes = pixel == 0 ? first : pixel == 1 ? second : pixel == 2 ? third : fourth;
  return __builtin_convertvector(__builtin_convertvector(bytes, cpixels_int8), cpixels_double8);
}

typedef double cpixels_double2 __attribute__((ext_vector_type(2)));
typedef long long cpixels_long2 __attribute__((ext_vector_type(2)));

/// Between `v2` and `v3`, the polynomial of Pillow's cubic interpolation at t, each operation rounded.
CPIXELS_INLINE cpixels_double8 cpixels_cubic(
    cpixels_double8 v1, cpixels_double8 v2, cpixels_double8 v3, cpixels_double8 v4, cpixels_double8 t) {
#pragma clang fp contract(off)
  cpixels_double8 p2 = v3 - v1;
  cpixels_double8 p3 = 2.0 * (v1 - v2) + v3 - v4;
  cpixels_double8 p4 = v2 - v1 - v3 + v4;
  return v2 + t * (p2 + t * (p3 + t * p4));
}

/// Numbers that are integers.
CPIXELS_INLINE cpixels_long2 cpixels_integers(cpixels_double2 x) {
  return __builtin_convertvector(x, cpixels_long2);
}

/// A number of each of two pixels, for their channels.
CPIXELS_INLINE cpixels_double8 cpixels_for_two(cpixels_double2 x) {
  return __builtin_shufflevector(x, x, 0, 0, 0, 0, 1, 1, 1, 1);
}

/// A number of each of eight pixels, for a third of the twenty-four bytes of their channels.
CPIXELS_INLINE cpixels_double8 cpixels_for_third(cpixels_double8 x, int third) {
  cpixels_double8 first = __builtin_shufflevector(x, x, 0, 0, 0, 1, 1, 1, 2, 2);
  cpixels_double8 second = __builtin_shufflevector(x, x, 2, 3, 3, 3, 4, 4, 4, 5);
  cpixels_double8 last = __builtin_shufflevector(x, x, 5, 5, 6, 6, 6, 7, 7, 7);
  return third == 0 ? first : third == 1 ? second : last;
}

/// As `cpixels_cut`.
CPIXELS_INLINE cpixels_uchar8 cpixels_cut_eight(cpixels_double8 x) {
  x = __builtin_elementwise_min(__builtin_elementwise_max(x, (cpixels_double8)0.0), (cpixels_double8)255.0);
  return __builtin_convertvector(__builtin_convertvector(x, cpixels_int8), cpixels_uchar8);
}

/// The first three channels of two pixels that have four; the last two bytes are not of use.
CPIXELS_INLINE cpixels_uchar8 cpixels_joined(cpixels_uchar8 two) {
  return __builtin_shufflevector(two, two, 0, 1, 2, 4, 5, 6, -1, -1);
}

/// Sixteen pixels the other way round; what follows the 48 bytes is not of use.
CPIXELS_INLINE cpixels_uchar64 cpixels_mirrored(cpixels_uchar64 pixels) {
  return __builtin_shufflevector(
      pixels, pixels, 45, 46, 47, 42, 43, 44, 39, 40, 41, 36, 37, 38, 33, 34, 35, 30, 31, 32, 27, 28, 29, 24,
      25, 26, 21, 22, 23, 18, 19, 20, 15, 16, 17, 12, 13, 14, 9, 10, 11, 6, 7, 8, 3, 4, 5, 0, 1,
      2, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
}

/// Exchanges two runs of sixteen pixels that do not overlap, each the other way round; 64 bytes from
/// either are read.
CPIXELS_INLINE void cpixels_exchange_mirrored(void *_Nonnull left, void *_Nonnull right) {
  cpixels_uchar64 a, b;
  __builtin_memcpy(&a, left, sizeof a);
  __builtin_memcpy(&b, right, sizeof b);
  a = cpixels_mirrored(a);
  b = cpixels_mirrored(b);
  __builtin_memcpy(left, &b, 48);
  __builtin_memcpy(right, &a, 48);
}

// MARK: For processors with AVX512-VNNI; elsewhere `cpixels_has_byte_dots` says so, and nobody calls the rest

CPIXELS_INLINE int cpixels_has_byte_dots(void) {
#if defined(__AVX512VNNI__) && defined(__AVX512BW__)
  return 1;
#else
  return 0;
#endif
}

#if defined(__AVX512VNNI__) && defined(__AVX512BW__)

/// Lane by lane, sum + Σ pixel · weight over four bytes each: pixels of 0 to 255, weights of -128 to 127.
CPIXELS_INLINE cpixels_int16 cpixels_dot_bytes(cpixels_int16 sum, cpixels_int16 pixels, int weights) {
  return (cpixels_int16)_mm512_dpbusd_epi32((__m512i)sum, (__m512i)pixels, _mm512_set1_epi32(weights));
}

/// Sums shifted down by 22 bits as bytes, clamped to 0 ... 255.
CPIXELS_INLINE cpixels_uchar16 cpixels_bytes(cpixels_int16 sums) {
  __m512i shifted = _mm512_srai_epi32((__m512i)sums, 22);
  return (cpixels_uchar16)_mm512_cvtusepi32_epi8(_mm512_max_epi32(shifted, _mm512_setzero_si512()));
}

/// low + 2⁸ middle + 2¹⁶ high
CPIXELS_INLINE cpixels_int16 cpixels_total(
    cpixels_int16 low, cpixels_int16 middle, cpixels_int16 high) {
  return low + (middle << 8) + (high << 16);
}

/// Four neighbouring pixels of each of four rows: lanes (red x 4) (green x 4) (blue x 4) (0) of the first,
/// and so on. Sixteen bytes of each row are read.
CPIXELS_INLINE cpixels_int16 cpixels_pixels_of_rows(
    const void *_Nonnull a, const void *_Nonnull b, const void *_Nonnull c, const void *_Nonnull d) {
  __m512i rows = _mm512_castsi128_si512(_mm_loadu_si128((const __m128i *)a));
  rows = _mm512_inserti32x4(rows, _mm_loadu_si128((const __m128i *)b), 1);
  rows = _mm512_inserti32x4(rows, _mm_loadu_si128((const __m128i *)c), 2);
  rows = _mm512_inserti32x4(rows, _mm_loadu_si128((const __m128i *)d), 3);
  __m128i order = _mm_setr_epi8(0, 3, 6, 9, 1, 4, 7, 10, 2, 5, 8, 11, -1, -1, -1, -1);
  return (cpixels_int16)_mm512_shuffle_epi8(rows, _mm512_broadcast_i32x4(order));
}

/// The bytes of sixteen columns in four rows, of the sixty-four columns that are read those of `part` 0
/// to 3 of `cpixels_store_bytes`.
CPIXELS_INLINE cpixels_int16 cpixels_columns_of_rows(
    const void *_Nonnull a, const void *_Nonnull b, const void *_Nonnull c, const void *_Nonnull d,
    int part) {
  __m512i p = _mm512_loadu_si512(a), q = _mm512_loadu_si512(b);
  __m512i r = _mm512_loadu_si512(c), s = _mm512_loadu_si512(d);
  __m512i first = part < 2 ? _mm512_unpacklo_epi8(p, q) : _mm512_unpackhi_epi8(p, q);
  __m512i second = part < 2 ? _mm512_unpacklo_epi8(r, s) : _mm512_unpackhi_epi8(r, s);
  return (cpixels_int16)(
      part % 2 == 0 ? _mm512_unpacklo_epi16(first, second) : _mm512_unpackhi_epi16(first, second));
}

/// The same of sixty-four sums: bytes 16 i + 4 j and the three that follow are lanes 4 i to 4 i + 3 of
/// part j.
CPIXELS_INLINE void cpixels_store_bytes(
    cpixels_int16 part0, cpixels_int16 part1, cpixels_int16 part2, cpixels_int16 part3,
    void *_Nonnull to) {
  __m512i first = _mm512_packs_epi32(
      _mm512_srai_epi32((__m512i)part0, 22), _mm512_srai_epi32((__m512i)part1, 22));
  __m512i second = _mm512_packs_epi32(
      _mm512_srai_epi32((__m512i)part2, 22), _mm512_srai_epi32((__m512i)part3, 22));
  _mm512_storeu_si512(to, _mm512_packus_epi16(first, second));
}

#else

CPIXELS_INLINE cpixels_uchar16 cpixels_bytes(cpixels_int16 sums) { __builtin_trap(); }
CPIXELS_INLINE cpixels_int16 cpixels_total(
    cpixels_int16 low, cpixels_int16 middle, cpixels_int16 high) {
  __builtin_trap();
}
CPIXELS_INLINE cpixels_int16 cpixels_dot_bytes(cpixels_int16 sum, cpixels_int16 pixels, int weights) {
  __builtin_trap();
}
CPIXELS_INLINE cpixels_int16 cpixels_pixels_of_rows(
    const void *_Nonnull a, const void *_Nonnull b, const void *_Nonnull c, const void *_Nonnull d) {
  __builtin_trap();
}
CPIXELS_INLINE cpixels_int16 cpixels_columns_of_rows(
    const void *_Nonnull a, const void *_Nonnull b, const void *_Nonnull c, const void *_Nonnull d,
    int part) {
  __builtin_trap();
}
CPIXELS_INLINE void cpixels_store_bytes(
    cpixels_int16 part0, cpixels_int16 part1, cpixels_int16 part2, cpixels_int16 part3,
    void *_Nonnull to) {
  __builtin_trap();
}

#endif
