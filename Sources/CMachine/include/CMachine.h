// Which vector instructions this program was built for, and whether the processor has them.
//
// A program built for one CPU dies of an illegal instruction on a lesser one. The check must come
// before any kernel, and the code that makes it must itself be built for any CPU: it is a C file
// without target flags, called first in main.
#pragma once
#include <stdint.h>

enum {
  CMACHINE_AVX2 = 1,
  CMACHINE_FMA = 2,
  CMACHINE_AVX512 = 4,
  CMACHINE_BF16 = 8,
};

// Seen by the Swift compiler, whose flags (-Xcc -march=...) decide what these macros are.
static inline uint32_t cmachine_built_for(void) {
  uint32_t features = 0;
#ifdef __AVX2__
  features |= CMACHINE_AVX2;
#endif
#ifdef __FMA__
  features |= CMACHINE_FMA;
#endif
#if defined(__AVX512F__) && defined(__AVX512VL__) && defined(__AVX512BW__) && defined(__AVX512DQ__)
  features |= CMACHINE_AVX512;
#endif
#ifdef __AVX512BF16__
  features |= CMACHINE_BF16;
#endif
  return features;
}

// What the processor has, of the same set.
uint32_t cmachine_processor_has(void);
