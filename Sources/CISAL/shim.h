// The door to ISA-L: CRC32C at memory speed.
#pragma once
#include <isa-l/crc.h>
