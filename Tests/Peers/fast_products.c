/* Preloaded into PyTorch: makes its MKL take the kernels it would take on an Intel processor.
 *
 * MKL chooses kernels by maker, not by what the processor can do; with AVX-512 of another maker it
 * runs float32 products at about half the rate. Both functions are MKL's own names for the question.
 */
int mkl_serv_intel_cpu_true(void) { return 1; }
int mkl_serv_intel_cpu(void) { return 1; }
