// The door to OpenBLAS: the plain C interface, nothing added.
#pragma once
#include <cblas.h>
