// The door to Open MPI. Handles such as MPI_COMM_WORLD are macros over linker symbols, which Swift
// cannot import; each is a function here.
#pragma once
#include <mpi.h>

static inline MPI_Comm cmpi_comm_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Datatype cmpi_byte(void) { return MPI_BYTE; }
