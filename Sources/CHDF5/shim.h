// The door to HDF5. Swift does not see macros that call a function or cast, so each one that the
// Archives room uses stands here as a function.
#pragma once
#include <hdf5.h>
#include <stdio.h>
#include <string.h>

// H5T_NATIVE_* and H5T_STD_* call H5open() and then read a global.
static inline hid_t chdf5_native_int8(void) { return H5T_NATIVE_INT8; }
static inline hid_t chdf5_native_uint8(void) { return H5T_NATIVE_UINT8; }
static inline hid_t chdf5_native_int16(void) { return H5T_NATIVE_INT16; }
static inline hid_t chdf5_native_uint16(void) { return H5T_NATIVE_UINT16; }
static inline hid_t chdf5_native_int32(void) { return H5T_NATIVE_INT32; }
static inline hid_t chdf5_native_uint32(void) { return H5T_NATIVE_UINT32; }
static inline hid_t chdf5_native_int64(void) { return H5T_NATIVE_INT64; }
static inline hid_t chdf5_native_uint64(void) { return H5T_NATIVE_UINT64; }
static inline hid_t chdf5_native_float(void) { return H5T_NATIVE_FLOAT; }
static inline hid_t chdf5_native_double(void) { return H5T_NATIVE_DOUBLE; }
static inline hid_t chdf5_c_string(void) { return H5T_C_S1; }

// Property list classes call H5open() too.
static inline hid_t chdf5_class_file_access(void) { return H5P_FILE_ACCESS; }
static inline hid_t chdf5_class_file_create(void) { return H5P_FILE_CREATE; }
static inline hid_t chdf5_class_dataset_create(void) { return H5P_DATASET_CREATE; }
static inline hid_t chdf5_class_dataset_access(void) { return H5P_DATASET_ACCESS; }

// Casts of numbers.
static inline hid_t chdf5_default(void) { return H5P_DEFAULT; }
static inline hid_t chdf5_all(void) { return H5S_ALL; }
static inline hsize_t chdf5_unlimited(void) { return H5S_UNLIMITED; }
static inline size_t chdf5_variable(void) { return H5T_VARIABLE; }
static inline haddr_t chdf5_undefined_address(void) { return HADDR_UNDEF; }
static inline H5F_libver_t chdf5_format_1_10(void) { return H5F_LIBVER_V110; }
static inline unsigned chdf5_read_only(void) { return H5F_ACC_RDONLY; }
static inline unsigned chdf5_read_write(void) { return H5F_ACC_RDWR; }
static inline unsigned chdf5_truncate(void) { return H5F_ACC_TRUNC; }

// The error stack belongs to the calling thread, so printing is switched off at every entry.
static inline void chdf5_silence(void) { H5Eset_auto2(H5E_DEFAULT, NULL, NULL); }

struct chdf5_message { char *text; size_t capacity; };

// The deepest entry of the stack is the cause; the others say who called whom.
static herr_t chdf5_keep_cause(unsigned depth, const H5E_error2_t *entry, void *context) {
  struct chdf5_message *message = (struct chdf5_message *)context;
  (void)depth;
  if (entry->desc) snprintf(message->text, message->capacity, "%s", entry->desc);
  return 0;
}

// Copies the cause of the last failure of this thread, empty if there is none.
static inline void chdf5_cause(char *text, size_t capacity) {
  struct chdf5_message message = {text, capacity};
  text[0] = 0;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_DOWNWARD, chdf5_keep_cause, &message);
  H5Eclear2(H5E_DEFAULT);
}

// A callback with a pointer to a Swift array would need an unmanaged box; the names are counted and
// fetched one by one instead, which H5Lget_name_by_idx does.
static inline ssize_t chdf5_name(hid_t group, hsize_t index, char *name, size_t capacity) {
  return H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, index, name, capacity,
                            H5P_DEFAULT);
}
