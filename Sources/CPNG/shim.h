// The door to libpng, by its simplified interface.
#pragma once
#include <png.h>
