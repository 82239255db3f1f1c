// The door to libpng, by its simplified interface: no long jumps reach the caller.
#pragma once
#include <png.h>
#include <string.h>

// Macros with casts, which Swift does not import.
static inline png_uint_32 cpng_format_rgba(void) { return PNG_FORMAT_RGBA; }
static inline png_uint_32 cpng_format_rgb(void) { return PNG_FORMAT_RGB; }
static inline png_uint_32 cpng_format_gray(void) { return PNG_FORMAT_GRAY; }
static inline png_uint_32 cpng_format_gray_alpha(void) { return PNG_FORMAT_GA; }
static inline int cpng_is_color(const png_image *image) {
  return (image->format & PNG_FORMAT_FLAG_COLOR) != 0;
}

// Sixteen-bit files without a colour space are as they look, not linear light.
static inline void cpng_assume_srgb(png_image *image) { image->flags |= PNG_IMAGE_FLAG_16BIT_sRGB; }

static inline void cpng_open(png_image *image) {
  memset(image, 0, sizeof *image);
  image->version = PNG_IMAGE_VERSION;
}
