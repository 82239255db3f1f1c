// The door to HDF5.
#pragma once
#include <hdf5.h>
