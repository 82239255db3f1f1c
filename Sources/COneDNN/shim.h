// The door to oneDNN: one matrix product of bfloat16 operands into single precision, made once for its
// shape and run often. Versions 2 and 3 of the library describe memory and primitives differently; here
// they are the same. Without the library's headers everything compiles and `conednn_create` says no.
#pragma once
#include <stddef.h>
#include <stdint.h>

/// C = A B, or C + A B, in single precision or rounded, a row of single precision added to every row if there is a bias. Strides count elements; A is [rows, inner], B [inner, columns], C [rows, columns].
typedef struct {
  int64_t rows, columns, inner;
  int64_t a_row, b_inner, b_column, c_row;
  int adding, has_bias, rounds;
} conednn_shape;

#if __has_include(<oneapi/dnnl/dnnl.h>)
#include <dlfcn.h>
#include <oneapi/dnnl/dnnl.h>

/// Belongs to one thread at a time.
typedef struct {
  dnnl_engine_t _Nullable engine;
  dnnl_stream_t _Nullable stream;
  dnnl_primitive_t _Nullable primitive;
  dnnl_memory_t _Nullable memory[5];  // A, B, C, bias, scratch
  size_t scratch_bytes;
  /// Of the library's OpenMP; what it sets counts for the calling thread.
  void (*_Nullable set_threads)(int);
} conednn_product;

/// major · 1000 + minor of the library in use.
static inline int conednn_version(void) {
  const dnnl_version_t *version = dnnl_version();
  return version->major * 1000 + version->minor;
}

#if DNNL_VERSION_MAJOR < 3
typedef dnnl_memory_desc_t conednn_layout;
typedef const dnnl_memory_desc_t *conednn_layout_ref;
#define CONEDNN_REF(layout) (&(layout))
#define conednn_free_layout(layout) ((void)0)
#else
typedef dnnl_memory_desc_t conednn_layout;
typedef const_dnnl_memory_desc_t conednn_layout_ref;
#define CONEDNN_REF(layout) (layout)
#define conednn_free_layout(layout) dnnl_memory_desc_destroy(layout)
#endif

static inline dnnl_status_t conednn_describe(
    conednn_layout *_Nonnull layout, int64_t rows, int64_t columns, int64_t row_stride,
    int64_t column_stride, dnnl_data_type_t type) {
  dnnl_dims_t extents = {rows, columns}, strides = {row_stride, column_stride};
#if DNNL_VERSION_MAJOR < 3
  return dnnl_memory_desc_init_by_strides(layout, 2, extents, type, strides);
#else
  return dnnl_memory_desc_create_with_strides(layout, 2, extents, type, strides);
#endif
}

static inline dnnl_status_t conednn_make_primitive(
    conednn_product *_Nonnull product, const conednn_layout *_Nonnull layouts, conednn_shape shape) {
  dnnl_primitive_attr_t attributes = NULL;
  dnnl_post_ops_t after = NULL;
  dnnl_primitive_desc_t description = NULL;
  dnnl_status_t status = dnnl_primitive_attr_create(&attributes);
  if (!status) status = dnnl_primitive_attr_set_scratchpad_mode(attributes, dnnl_scratchpad_mode_user);
  if (!status && shape.adding) {
    status = dnnl_post_ops_create(&after);
#if DNNL_VERSION_MAJOR < 3
    if (!status) status = dnnl_post_ops_append_sum(after, 1.0f);
#else
    if (!status) status = dnnl_post_ops_append_sum(after, 1.0f, 0, dnnl_data_type_undef);
#endif
    if (!status) status = dnnl_primitive_attr_set_post_ops(attributes, after);
  }
#if DNNL_VERSION_MAJOR < 3
  dnnl_matmul_desc_t operation;
  if (!status)
    status = dnnl_matmul_desc_init(&operation, &layouts[0], &layouts[1], shape.has_bias ? &layouts[3] : NULL, &layouts[2]);
  if (!status)
    status = dnnl_primitive_desc_create(&description, &operation, attributes, product->engine, NULL);
#else
  if (!status)
    status = dnnl_matmul_primitive_desc_create(
        &description, product->engine, layouts[0], layouts[1], shape.has_bias ? layouts[3] : NULL,
        layouts[2], attributes);
#endif
  if (!status) status = dnnl_primitive_create(&product->primitive, description);
  if (!status) {
    conednn_layout_ref scratch = dnnl_primitive_desc_query_md(description, dnnl_query_scratchpad_md, 0);
    product->scratch_bytes = dnnl_memory_desc_get_size(scratch);
    status = dnnl_memory_create(&product->memory[4], scratch, product->engine, DNNL_MEMORY_NONE);
  }
  if (description) dnnl_primitive_desc_destroy(description);
  if (after) dnnl_post_ops_destroy(after);
  if (attributes) dnnl_primitive_attr_destroy(attributes);
  return status;
}

static inline void conednn_destroy(conednn_product *_Nonnull product) {
  for (int i = 0; i < 5; i++)
    if (product->memory[i]) dnnl_memory_destroy(product->memory[i]);
  if (product->primitive) dnnl_primitive_destroy(product->primitive);
  if (product->stream) dnnl_stream_destroy(product->stream);
  if (product->engine) dnnl_engine_destroy(product->engine);
}

/// Whether the product could be made; generates its code, some tenths of a millisecond.
static inline int conednn_create(conednn_product *_Nonnull product, conednn_shape shape) {
  *product = (conednn_product){0};
  product->set_threads = (void (*)(int))dlsym(RTLD_DEFAULT, "omp_set_num_threads");
  if (product->set_threads) product->set_threads(1);
  conednn_layout layouts[4] = {0};
  dnnl_status_t status = dnnl_engine_create(&product->engine, dnnl_cpu, 0);
  if (!status) status = dnnl_stream_create(&product->stream, product->engine, dnnl_stream_default_flags);
  if (!status)
    status = conednn_describe(&layouts[0], shape.rows, shape.inner, shape.a_row, 1, dnnl_bf16);
  if (!status)
    status = conednn_describe(
        &layouts[1], shape.inner, shape.columns, shape.b_inner, shape.b_column, dnnl_bf16);
  if (!status)
    status = conednn_describe(&layouts[2], shape.rows, shape.columns, shape.c_row, 1,
                              shape.rounds ? dnnl_bf16 : dnnl_f32);
  if (!status) status = conednn_describe(&layouts[3], 1, shape.columns, shape.columns, 1, dnnl_f32);
  if (!status) status = conednn_make_primitive(product, layouts, shape);
  for (int i = 0; i < 4; i++) {
    if (!status)
      status = dnnl_memory_create(
          &product->memory[i], CONEDNN_REF(layouts[i]), product->engine, DNNL_MEMORY_NONE);
    conednn_free_layout(layouts[i]);
  }
  if (status) conednn_destroy(product);
  return status == dnnl_success;
}

/// Whether the product ran. `scratch` has the product's `scratch_bytes`.
static inline int conednn_run(
    const conednn_product *_Nonnull product, const void *_Nonnull a, const void *_Nonnull b,
    const float *_Nullable bias, void *_Nonnull c, void *_Nullable scratch) {
  const void *data[5] = {a, b, c, bias, scratch};
  const int names[5] = {
      DNNL_ARG_SRC, DNNL_ARG_WEIGHTS, DNNL_ARG_DST, DNNL_ARG_BIAS, DNNL_ARG_SCRATCHPAD};
  dnnl_exec_arg_t arguments[5];
  int count = 0;
  // One thread: others would wait by spinning, on the cores of other ranks.
  if (product->set_threads) product->set_threads(1);
  for (int i = 0; i < 5; i++) {
    if (!data[i]) continue;
    if (dnnl_memory_set_data_handle(product->memory[i], (void *)data[i])) return 0;
    arguments[count++] = (dnnl_exec_arg_t){names[i], product->memory[i]};
  }
  return dnnl_primitive_execute(product->primitive, product->stream, count, arguments) == dnnl_success &&
         dnnl_stream_wait(product->stream) == dnnl_success;
}

#else

typedef struct {
  size_t scratch_bytes;
} conednn_product;

static inline int conednn_version(void) { return 0; }
static inline int conednn_create(conednn_product *_Nonnull product, conednn_shape shape) { return 0; }
static inline void conednn_destroy(conednn_product *_Nonnull product) {}
static inline int conednn_run(
    const conednn_product *_Nonnull product, const void *_Nonnull a, const void *_Nonnull b,
    const float *_Nullable bias, void *_Nonnull c, void *_Nullable scratch) {
  return 0;
}

#endif
