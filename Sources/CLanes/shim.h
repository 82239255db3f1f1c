// What Swift's SIMD16 cannot say: the first lanes of a vector from and to memory without touching
// the rest, the lanes that pass a comparison as bits, the transpose of sixteen rows, and bfloat16.
// Clang's vectors are SIMD16<Float> in Swift; everything is inlined there, for the processor that
// Swift is compiled for.
#pragma once

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

typedef float clanes_float16 __attribute__((ext_vector_type(16)));

#define CLANES_INLINE static inline __attribute__((always_inline))

/// 1 / x with fourteen bits right.
CLANES_INLINE clanes_float16 clanes_rough_reciprocal(clanes_float16 x) {
#if defined(__AVX512F__)
  return (clanes_float16)_mm512_rcp14_ps((__m512)x);
#else
  return 1.0f / x;
#endif
}

/// Whether a vector is one register, of which there are 32.
CLANES_INLINE int clanes_has_wide_registers(void) {
#if defined(__AVX512F__)
  return 1;
#else
  return 0;
#endif
}

/// Has the line of memory at an address fetched into the nearest cache, whatever the address.
CLANES_INLINE void clanes_prefetch(const float *_Nonnull address) {
  __builtin_prefetch(address, 0, 3);
}

CLANES_INLINE void clanes_prefetch_for_writing(float *_Nonnull address) {
  __builtin_prefetch(address, 1, 3);
}

/// The first `count` (0 to 16) lanes from memory, the others from `rest`.
CLANES_INLINE clanes_float16 clanes_load_first(
    const float *_Nonnull from, int count, clanes_float16 rest) {
#if defined(__AVX512F__)
  return (clanes_float16)_mm512_mask_loadu_ps((__m512)rest, (__mmask16)((1u << count) - 1u), from);
#else
  for (int i = 0; i < count; i++) rest[i] = from[i];
  return rest;
#endif
}

/// Writes the first `count` (0 to 16) lanes: sixteen, eight, four, two and one as they are needed. A masked
/// store would hold up every later load near it until it has left for the cache.
CLANES_INLINE void clanes_store_first(float *_Nonnull to, int count, clanes_float16 value) {
  if (count & 16) {
    __builtin_memcpy(to, &value, 64);
    return;
  }
  if (count & 8) {
    __builtin_memcpy(to, &value, 32);
    value = __builtin_shufflevector(
        value, value, 8, 9, 10, 11, 12, 13, 14, 15, -1, -1, -1, -1, -1, -1, -1, -1);
    to += 8;
  }
  if (count & 4) {
    __builtin_memcpy(to, &value, 16);
    value = __builtin_shufflevector(
        value, value, 4, 5, 6, 7, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    to += 4;
  }
  if (count & 2) {
    __builtin_memcpy(to, &value, 8);
    value = __builtin_shufflevector(
        value, value, 2, 3, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1, -1);
    to += 2;
  }
  if (count & 1) *to = value[0];
}

/// The first `count` (0 to 16) lanes of `value`, the others from `rest`.
CLANES_INLINE clanes_float16 clanes_keep_first(
    clanes_float16 value, int count, clanes_float16 rest) {
#if defined(__AVX512F__)
  return (clanes_float16)_mm512_mask_mov_ps(
      (__m512)rest, (__mmask16)((1u << count) - 1u), (__m512)value);
#else
  for (int i = 0; i < count; i++) rest[i] = value[i];
  return rest;
#endif
}

/// Of the lanes as integers, which are at least `bound`: lane 0 is the lowest bit.
CLANES_INLINE unsigned clanes_bits_at_least(clanes_float16 x, int bound) {
#if defined(__AVX512F__)
  return _mm512_cmpge_epi32_mask((__m512i)x, _mm512_set1_epi32(bound));
#else
  unsigned mask = 0;
  for (int i = 0; i < 16; i++) {
    int bits;
    float lane = x[i];
    __builtin_memcpy(&bits, &lane, sizeof bits);
    mask |= (unsigned)(bits >= bound) << i;
  }
  return mask;
#endif
}

/// The transpose of sixteen rows, of which the first `columns` lanes are written.
///
/// Four rounds of a perfect shuffle: round by round the index (row, column) rotates by one bit.
CLANES_INLINE void clanes_store_transpose(
    clanes_float16 *_Nonnull a, int columns, float *_Nonnull to, long to_stride) {
  clanes_float16 b[16];
#pragma clang loop unroll(full)
  for (int round = 0; round < 4; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) {
      b[2 * i] = __builtin_shufflevector(
          a[i], a[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
      b[2 * i + 1] = __builtin_shufflevector(
          a[i], a[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) a[i] = b[i];
  }
  for (int i = 0; i < 16; i++) {
    if (i < columns) __builtin_memcpy(to + i * to_stride, &a[i], sizeof a[i]);
  }
}

/// to[column][row] = from[row][column] for `rows` and `columns` of at most 16. Sixteen lanes of each
/// of the `columns` rows of `to` are written, zeros where there is no row of `from`. What follows in
/// sixteen rows is more than a processor foresees by itself.
CLANES_INLINE void clanes_transpose(
    const float *_Nonnull from, long stride, int rows, int columns, float *_Nonnull to,
    long to_stride) {
  clanes_float16 a[16];
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++) {
    clanes_prefetch(from + i * stride + 64);
    a[i] = i < rows ? clanes_load_first(from + i * stride, columns, (clanes_float16)0.0f)
                    : (clanes_float16)0.0f;
  }
  clanes_store_transpose(a, columns, to, to_stride);
}

// MARK: bfloat16, the upper half of a float
//
// Two of them travel as the bits of one float lane, the first in the lower half: a pair.

typedef unsigned short clanes_ushort16 __attribute__((ext_vector_type(16)));
typedef unsigned short clanes_ushort32 __attribute__((ext_vector_type(32)));
typedef short clanes_short32 __attribute__((ext_vector_type(32)));
typedef unsigned clanes_uint16 __attribute__((ext_vector_type(16)));

/// Whether this build multiplies pairs by an instruction of the processor's.
CLANES_INLINE int clanes_has_dot_pairs(void) {
#if defined(__AVX512BF16__)
  return 1;
#else
  return 0;
#endif
}

/// Whether the processor multiplies tiles of bfloat16 in a unit of its own.
CLANES_INLINE int clanes_has_matrix_unit(void) {
#if defined(__AMX_BF16__)
  return 1;
#else
  return 0;
#endif
}

/// Each lane rounded to the nearest bfloat16, ties to even, in the lower half; NaN stays NaN.
CLANES_INLINE clanes_uint16 clanes_round_bits(clanes_float16 x) {
  clanes_uint16 bits = (clanes_uint16)x;
  clanes_uint16 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return (clanes_uint16)(x != x) & ((bits >> 16) | 0x40u) | ~(clanes_uint16)(x != x) & rounded;
}

/// The nearest numbers that bfloat16 can hold, as floats.
CLANES_INLINE clanes_float16 clanes_round(clanes_float16 x) {
  return (clanes_float16)(clanes_round_bits(x) << 16);
}

/// Sixteen pairs of neighbours: (a0 a1) ... (a14 a15) (b0 b1) ... (b14 b15).
CLANES_INLINE clanes_float16 clanes_pairs_of_neighbours(clanes_float16 a, clanes_float16 b) {
#if defined(__AVX512BF16__)
  return (clanes_float16)_mm512_cvtne2ps_pbh((__m512)b, (__m512)a);
#else
  clanes_uint16 low = clanes_round_bits(a), high = clanes_round_bits(b);
  clanes_uint16 even = __builtin_shufflevector(
      low, high, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  clanes_uint16 odd = __builtin_shufflevector(
      low, high, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
  return (clanes_float16)(even | odd << 16);
#endif
}

/// `clanes_transpose` of pairs of neighbours, made of `rows` (at most 16) by `columns` (at most 32) numbers.
CLANES_INLINE void clanes_transpose_to_pairs(
    const float *_Nonnull from, long stride, int rows, int columns, float *_Nonnull to,
    long to_stride) {
  clanes_float16 a[16], zero = (clanes_float16)0.0f;
  int first = columns < 16 ? columns : 16;
#pragma clang loop unroll(full)
  for (int i = 0; i < 16; i++) {
    const float *row = from + i * stride;
    clanes_prefetch(row + 64);
    clanes_prefetch(row + 80);
    a[i] = i < rows ? clanes_pairs_of_neighbours(
                          clanes_load_first(row, first, zero),
                          clanes_load_first(row + first, columns - first, zero))
                    : zero;
  }
  clanes_store_transpose(a, (columns + 1) / 2, to, to_stride);
}

/// Sixteen pairs (a0 b0) ... (a15 b15).
CLANES_INLINE clanes_float16 clanes_pairs_across(clanes_float16 a, clanes_float16 b) {
#if defined(__AVX512BF16__)
  clanes_short32 all = (clanes_short32)_mm512_cvtne2ps_pbh((__m512)b, (__m512)a);
  return (clanes_float16)__builtin_shufflevector(
      all, all, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23, 8, 24, 9, 25, 10, 26, 11, 27,
      12, 28, 13, 29, 14, 30, 15, 31);
#else
  return (clanes_float16)(clanes_round_bits(a) | clanes_round_bits(b) << 16);
#endif
}

/// Of pairs of neighbours (a0 a1) ... (a30 a31) and b alike: (a0 b0) ... (a15 b15), the lower half, and
/// (a16 b16) ... (a31 b31), the upper.
CLANES_INLINE clanes_float16 clanes_pairs_across_low(clanes_float16 a, clanes_float16 b) {
  return (clanes_float16)__builtin_shufflevector(
      (clanes_short32)a, (clanes_short32)b, 0, 32, 1, 33, 2, 34, 3, 35, 4, 36, 5, 37, 6, 38, 7, 39, 8,
      40, 9, 41, 10, 42, 11, 43, 12, 44, 13, 45, 14, 46, 15, 47);
}

CLANES_INLINE clanes_float16 clanes_pairs_across_high(clanes_float16 a, clanes_float16 b) {
  return (clanes_float16)__builtin_shufflevector(
      (clanes_short32)a, (clanes_short32)b, 16, 48, 17, 49, 18, 50, 19, 51, 20, 52, 21, 53, 22, 54, 23,
      55, 24, 56, 25, 57, 26, 58, 27, 59, 28, 60, 29, 61, 30, 62, 31, 63);
}

/// The first sixteen of the 32 numbers in pairs of neighbours, and the others.
CLANES_INLINE clanes_float16 clanes_first_numbers(clanes_float16 pairs) {
  clanes_ushort16 half = ((clanes_ushort32)pairs).lo;
  return (clanes_float16)(__builtin_convertvector(half, clanes_uint16) << 16);
}

CLANES_INLINE clanes_float16 clanes_second_numbers(clanes_float16 pairs) {
  clanes_ushort16 half = ((clanes_ushort32)pairs).hi;
  return (clanes_float16)(__builtin_convertvector(half, clanes_uint16) << 16);
}

/// Lane by lane, sum + a.first · b.first + a.second · b.second of pairs.
CLANES_INLINE clanes_float16 clanes_dot_pairs(
    clanes_float16 sum, clanes_float16 a, clanes_float16 b) {
#if defined(__AVX512BF16__)
  return (clanes_float16)_mm512_dpbf16_ps((__m512)sum, (__m512bh)a, (__m512bh)b);
#else
  clanes_uint16 x = (clanes_uint16)a, y = (clanes_uint16)b;
  clanes_float16 upper = (clanes_float16)(x & 0xffff0000u) * (clanes_float16)(y & 0xffff0000u);
  return sum + upper + (clanes_float16)(x << 16) * (clanes_float16)(y << 16);
#endif
}
