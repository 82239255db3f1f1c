// The door to libarchive: tar archives and compressed streams.
#pragma once
#include <archive.h>
#include <archive_entry.h>
