#include "CMachine.h"

uint32_t cmachine_processor_has(void) {
  uint32_t features = 0;
#if defined(__x86_64__)
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) features |= CMACHINE_AVX2;
  if (__builtin_cpu_supports("fma")) features |= CMACHINE_FMA;
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") &&
      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq"))
    features |= CMACHINE_AVX512;
  if (__builtin_cpu_supports("avx512bf16")) features |= CMACHINE_BF16;
#endif
  return features;
}
