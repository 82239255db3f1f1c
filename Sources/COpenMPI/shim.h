// The door to Open MPI. Handles such as MPI_COMM_WORLD are macros over linker symbols, which Swift
// cannot import; each is a function here.
#pragma once
#include <mpi.h>
#include <sys/syscall.h>
#include <unistd.h>

static inline MPI_Comm cmpi_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Comm cmpi_comm_self(void) { return MPI_COMM_SELF; }
static inline MPI_Datatype cmpi_byte(void) { return MPI_BYTE; }
static inline MPI_Datatype cmpi_float(void) { return MPI_FLOAT; }
static inline MPI_Datatype cmpi_int64(void) { return MPI_INT64_T; }
static inline MPI_Op cmpi_sum(void) { return MPI_SUM; }
static inline MPI_Op cmpi_max(void) { return MPI_MAX; }
static inline MPI_Op cmpi_min(void) { return MPI_MIN; }

// The default handler kills the job; errors are to come back as status codes.
static inline int cmpi_return_errors(MPI_Comm comm) {
  return MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN);
}

// MPI_INFO_NULL is a macro too.
static inline int cmpi_split_by_node(MPI_Comm comm, int rank, MPI_Comm *node) {
  return MPI_Comm_split_type(comm, MPI_COMM_TYPE_SHARED, rank, MPI_INFO_NULL, node);
}

// `bytes` on the first rank of a node, 0 on the others, who all get the first's address for it.
static inline int cmpi_allocate_shared(MPI_Comm node, MPI_Aint bytes, void **base, MPI_Win *window) {
  MPI_Aint size = 0;
  int unit = 0;
  int status = MPI_Win_allocate_shared(bytes, 1, MPI_INFO_NULL, node, base, window);
  if (status != MPI_SUCCESS) return status;
  MPI_Win_set_errhandler(*window, MPI_ERRORS_RETURN);
  return MPI_Win_shared_query(*window, 0, &size, &unit, base);
}

// The ignored status is a cast of zero, and a null request is a linker symbol.
static inline int cmpi_wait(MPI_Request *request) { return MPI_Wait(request, MPI_STATUS_IGNORE); }
static inline int cmpi_test(MPI_Request *request, int *done) {
  return MPI_Test(request, done, MPI_STATUS_IGNORE);
}

// A probe that never matches drives Open MPI's progress engine, and nothing else does so as cheaply:
// a probe on the world returns early when an unexpected message lies there.
static inline int cmpi_progress(void) {
  int found = 0;
  return MPI_Iprobe(0, 32767, MPI_COMM_SELF, &found, MPI_STATUS_IGNORE);
}

static inline int cmpi_allreduce_in_place(void *data, int count, MPI_Datatype type, MPI_Op op,
                                          MPI_Comm comm) {
  return MPI_Allreduce(MPI_IN_PLACE, data, count, type, op, comm);
}

// Swift sees no GNU extensions, so `sched_getaffinity` is reached by number: CPUs this process may
// use, or 0 if the kernel does not say.
static inline int cmpi_processors(void) {
  unsigned long mask[128] = {0};
  if (syscall(SYS_sched_getaffinity, 0, sizeof mask, mask) < 0) return 0;
  int count = 0;
  for (int i = 0; i < 128; i++) count += __builtin_popcountl(mask[i]);
  return count;
}
